"""What proves who calls, a grant type a file; `GRANTORS` is all that the token endpoint serves."""

from igloo_auth.api.grants.authorization_code import grant_by_authorization_code
from igloo_auth.api.grants.facebook_access_token import grant_by_facebook_token
from igloo_auth.api.grants.facebook_id_token import grant_by_id_token
from igloo_auth.api.grants.grantor import Grantor
from igloo_auth.api.grants.refresh_token import grant_by_refresh_token
from igloo_auth.operations.authorization_codes import AUTHORIZATION_CODE
from igloo_auth.schemas.token import (
    FACEBOOK_ACCESS_TOKEN,
    FACEBOOK_ID_TOKEN,
    REFRESH_TOKEN,
    AuthorizationCodeGrantSchema,
    FacebookTokenGrantSchema,
    IdTokenGrantSchema,
    RefreshTokenGrantSchema,
)

GRANTORS = {
    FACEBOOK_ACCESS_TOKEN: Grantor(schema=FacebookTokenGrantSchema(), grant=grant_by_facebook_token),
    FACEBOOK_ID_TOKEN: Grantor(schema=IdTokenGrantSchema(), grant=grant_by_id_token),
    AUTHORIZATION_CODE: Grantor(schema=AuthorizationCodeGrantSchema(), grant=grant_by_authorization_code),
    REFRESH_TOKEN: Grantor(schema=RefreshTokenGrantSchema(), grant=grant_by_refresh_token),
}
