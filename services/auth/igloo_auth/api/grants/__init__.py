"""What proves who calls, a grant type a file; `GRANTORS` is all that the token endpoint serves."""

from igloo_auth.api.grants.facebook_access_token import grant_by_facebook_token
from igloo_auth.api.grants.grantor import Grantor
from igloo_auth.api.grants.refresh_token import grant_by_refresh_token
from igloo_auth.schemas.token import (
    FACEBOOK_ACCESS_TOKEN,
    REFRESH_TOKEN,
    FacebookTokenGrantSchema,
    RefreshTokenGrantSchema,
)

GRANTORS = {
    FACEBOOK_ACCESS_TOKEN: Grantor(schema=FacebookTokenGrantSchema, grant=grant_by_facebook_token),
    REFRESH_TOKEN: Grantor(schema=RefreshTokenGrantSchema, grant=grant_by_refresh_token),
}
