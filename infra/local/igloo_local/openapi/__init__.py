"""The one OpenAPI document that the gateway serves, made out of each service's own."""
