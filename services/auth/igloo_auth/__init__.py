"""The auth service: who you are. Facebook sign-in comes in, igloo's own tokens go out."""
