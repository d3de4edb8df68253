"""The shapes of the documents under /.well-known that clients and other services configure themselves by."""

from marshmallow import Schema, fields


class PublicKeySchema(Schema):
    """A public signing key (RFC 7517, RFC 7518 section 6.2)."""

    kty = fields.Constant("EC", required=True)
    crv = fields.Constant("P-256", required=True)
    alg = fields.Constant("ES256", required=True)
    use = fields.Constant("sig", required=True)
    kid = fields.String(required=True)
    x = fields.String(required=True)
    y = fields.String(required=True)


class KeySetSchema(Schema):
    """The keys that verify our access tokens."""

    keys = fields.List(fields.Nested(PublicKeySchema), required=True)


class ConfigurationSchema(Schema):
    """Authorization server metadata (RFC 8414): what exists, and nothing that does not."""

    issuer = fields.URL(required=True)
    authorization_endpoint = fields.URL(required=True)
    token_endpoint = fields.URL(required=True)
    revocation_endpoint = fields.URL(required=True)
    jwks_uri = fields.URL(required=True)
    grant_types_supported = fields.List(fields.String(), required=True)
    response_types_supported = fields.List(fields.String(), required=True)
    response_modes_supported = fields.List(fields.String(), required=True)
    code_challenge_methods_supported = fields.List(fields.String(), required=True)
    authorization_response_iss_parameter_supported = fields.Boolean(required=True)
    request_uri_parameter_supported = fields.Boolean(required=True)
    scopes_supported = fields.List(fields.String(), required=True)
    token_endpoint_auth_methods_supported = fields.List(fields.String(), required=True)
    revocation_endpoint_auth_methods_supported = fields.List(fields.String(), required=True)
    subject_types_supported = fields.List(fields.String(), required=True)
    id_token_signing_alg_values_supported = fields.List(fields.String(), required=True)
    service_documentation = fields.URL(required=True)
