"""The public JSON bodies: what the HTTP API takes and answers. The reference and the browser SDK's types are made from
this package.

Names are camelCase on the wire. An answer is `{statusCode, message, data?}`, an error `{statusCode, message, code,
details?}`. A request with a field that is not named here is refused, so that a misspelt field is noticed and not lost;
an answer may get further fields, and a reader passes over those it does not know.
"""

from __future__ import annotations

from heliograph.wire.accounts import (
    DeletionData,
    DeletionRequest,
    MetaData,
    MetaDataBody,
    MetaDataPatch,
    MetaDataRequest,
    RegisterData,
    RegisterRequest,
)
from heliograph.wire.audit import AuditData, AuditEntryBody
from heliograph.wire.backend_profiles import (
    FieldEditBody,
    ProfileEditBody,
    ProfileHistoryData,
    ProfileUpdateItem,
    ProfileUpdatesRequest,
    UpdatedBody,
    UpdatesData,
)
from heliograph.wire.configuration import Config, FeaturesBody, LimitsBody
from heliograph.wire.contacts import BlockedData, BlockedUserBody, ContactBody, ContactsData, FriendState, LastSeenBody
from heliograph.wire.envelope import Answer, Body, ErrorBody, Request, Secretive
from heliograph.wire.invitations import (
    DiscoverabilityBody,
    DiscoverabilityRequest,
    FoundUserBody,
    ImportData,
    ImportedBody,
    ImportRequest,
    InvitationBody,
    InvitationsData,
    InvitationTokenRequest,
    InviterBody,
    NewInvitationBody,
    NewInvitationRequest,
    PhoneBookData,
    PhoneBookRequest,
    RequestsData,
)
from heliograph.wire.media import MediaBody
from heliograph.wire.profiles import (
    FieldVisibility,
    OwnProfileBody,
    ProfileBody,
    ProfileRequest,
    VisibilityBody,
    VisibilityRequest,
)
from heliograph.wire.reading import decode, encode
from heliograph.wire.sessions import DeviceBody, EndedData, EndOthersRequest, SessionBody, SessionsData
from heliograph.wire.statuses import (
    ForgetStatusRequest,
    OfferedStatusesBody,
    OfferedStatusesRequest,
    StatusesBody,
)
from heliograph.wire.tokens import RefreshRequest, RevokeRequest, TokenRequest, Tokens
from heliograph.wire.users import (
    AccountBody,
    AccountRequest,
    AccountsData,
    FeedbackBody,
    FeedbackData,
    ListedUserBody,
    UsersData,
    UserSearchRequest,
)

__all__ = [
    "AccountBody",
    "AccountRequest",
    "AccountsData",
    "Answer",
    "AuditData",
    "AuditEntryBody",
    "BlockedData",
    "BlockedUserBody",
    "Body",
    "Config",
    "ContactBody",
    "ContactsData",
    "DeletionData",
    "DeletionRequest",
    "DeviceBody",
    "DiscoverabilityBody",
    "DiscoverabilityRequest",
    "EndOthersRequest",
    "EndedData",
    "ErrorBody",
    "FeaturesBody",
    "FeedbackBody",
    "FeedbackData",
    "FieldEditBody",
    "FieldVisibility",
    "ForgetStatusRequest",
    "FoundUserBody",
    "FriendState",
    "ImportData",
    "ImportRequest",
    "ImportedBody",
    "InvitationBody",
    "InvitationTokenRequest",
    "InvitationsData",
    "InviterBody",
    "LastSeenBody",
    "LimitsBody",
    "ListedUserBody",
    "MediaBody",
    "MetaData",
    "MetaDataBody",
    "MetaDataPatch",
    "MetaDataRequest",
    "NewInvitationBody",
    "NewInvitationRequest",
    "OfferedStatusesBody",
    "OfferedStatusesRequest",
    "OwnProfileBody",
    "PhoneBookData",
    "PhoneBookRequest",
    "ProfileBody",
    "ProfileEditBody",
    "ProfileHistoryData",
    "ProfileRequest",
    "ProfileUpdateItem",
    "ProfileUpdatesRequest",
    "RefreshRequest",
    "RegisterData",
    "RegisterRequest",
    "Request",
    "RequestsData",
    "RevokeRequest",
    "Secretive",
    "SessionBody",
    "SessionsData",
    "StatusesBody",
    "TokenRequest",
    "Tokens",
    "UpdatedBody",
    "UpdatesData",
    "UserSearchRequest",
    "UsersData",
    "VisibilityBody",
    "VisibilityRequest",
    "decode",
    "encode",
]
