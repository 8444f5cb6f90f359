"""Every limit and lifetime of the product, with its unit in its name. Settings and app policies may narrow them,
never widen.
"""

from __future__ import annotations

# ----------------------------------------------------------------------------------------------------- identifiers
IDENTIFIER_MAX_CHARS = 191
IDENTIFIER_FORM = f"[a-z0-9_-]{{1,{IDENTIFIER_MAX_CHARS}}}"
"""A regular expression for the whole of an identifier; such a text is also a localpart of RFC 7622 as it stands."""
METADATA_MAX_ENTRIES = 3
METADATA_KEY_MAX_CHARS = 64
METADATA_VALUE_MAX_CHARS = 256
REGISTER_ATTEMPTS = 8
"""How often a registration starts anew because the account came or went meanwhile."""

IDEMPOTENCY_KEY_MAX_CHARS = 128
IDEMPOTENCY_TTL_S = 86400
"""How long a registration's `Idempotency-Key` is remembered."""
BULK_USERS_MAX = 1000
BULK_MAX_BYTES = 4 * 1024 * 1024
FEEDBACK_MAX_CHARS = 2000
DELETION_GRACE_DAYS_DEFAULT = 30
DELETION_GRACE_DAYS_MAX = 365

# ----------------------------------------------------------------------------------------------------------- lists
NUMBER_MAX = 2**53 - 1
"""The greatest number that JSON carries safely (RFC 8259, section 6)."""
PAGE_USERS_DEFAULT = 50
PAGE_USERS_MAX = 200
SEARCH_USERS_DEFAULT = 20
SEARCH_USERS_MAX = 100
SEARCH_SCAN_MAX = 2000
"""How many matches a search looks at; what lies beyond is found by a narrower search."""
SEARCH_TEXT_MAX_CHARS = 128
SEARCH_TERM_MAX_BYTES = 128
SEARCH_TERMS_MAX = 8
"""From how many of a name's words a search finds it."""

# ------------------------------------------------------------------------------------------------------------ apps
APP_NAME_MAX_CHARS = 64
APP_ID_BYTES = 12
APP_KEY_KEEP_MAX_S = 365 * 86400
"""How long a key that was replaced may stay in force."""

# -------------------------------------------------------------------------------------------------------- sessions
SESSIONS_DEFAULT = 5
SESSIONS_MAX = 100
DEVICE_FIELD_MAX_CHARS = 128
SESSION_ID_BYTES = 16
SESSION_TOUCH_S = 60
"""A session's time of last activity is written at most this often."""
ENDED_SESSION_KEPT_S = 30 * 86400
"""How long an ended session's row is kept; it holds no secret any more."""

# ---------------------------------------------------------------------------------------------------- credentials
PASSWORD_BYTES = 18
"""144 random bits: above the 128 that make a shared salt and few iterations harmless."""
SALT_BYTES = 16
SCRAM_ITERATIONS = 4096
"""RFC 7677, section 4 asks for at least 4096; the passwords are random, so more would buy nothing."""
TOKEN_BYTES = 32
ACCESS_TOKEN_TTL_S = 3600
REFRESH_TOKEN_TTL_S = 90 * 86400
ROTATION_GRACE_S = 60
"""How long a lost reply can be asked for again, and how long the replaced access token still works."""
FAST_TOKEN_TTL_S = 30 * 86400
"""How long a device may stay away and still sign in with its token (XEP-0484)."""
FAST_ROTATE_S = 86400
"""A token that is older gets a successor when it is used."""
FAST_SALT_BYTES = 16
FAST_CLIENTS_PER_SESSION_MAX = 4
"""How many clients with the password of one session may have tokens."""
ASSERTION_MAX_AGE_S = 300
ASSERTION_SKEW_S = 30
"""How far the clock of an app's backend may run ahead of ours."""
ASSERTION_MAX_CHARS = 4096
ASSERTION_ID_MAX_CHARS = 128

# --------------------------------------------------------------------------------------------------------- sandbox
SANDBOX_USERS_DEFAULT = 100
SANDBOX_USERS_MAX = 10_000
SANDBOX_USER_DAYS_DEFAULT = 30
SANDBOX_USER_DAYS_MAX = 365
EXPIRED_BATCH = 100
"""How many expired accounts one look-up of the sweep brings."""

# -------------------------------------------------------------------------------------------------------- profiles
NAME_MAX_GRAPHEMES = 64
STATUS_MAX_GRAPHEMES = 139
FIELD_MAX_BYTES = 8192
"""A grapheme can hold any number of code points, so each text field also has a limit in UTF-8 bytes: enough for 139 of
the longest emoji sequences.
"""
VCARD_EXTRA_MAX_BYTES = 16_384
PROFILE_CHANGES_KEPT = 20
"""How many changes of one profile are kept for the app's backend."""
PROFILE_UPDATES_MAX = 1000
"""How many profiles one call of a backend changes."""
PROFILE_UPDATES_BATCH = 50
"""How many of them share a commit; between two, others have their turn."""
PROFILE_UPDATES_MAX_BYTES = 8 * 1024 * 1024
RECENT_STATUSES_KEPT = 10
OFFERED_STATUSES_MAX = 50

# -------------------------------------------------------------------------------------------------------- pictures

IMAGE_URL_MAX_BYTES = 2048
IMAGE_MAX_BYTES = 10 * 1024 * 1024
IMAGE_MAX_PIXELS = 40_000_000
IMAGE_SIDE_PX = 640
"""The longest side of a stored picture."""
THUMBNAIL_SIDE_PX = 96
AVATAR_SIDE_PX = 192
"""The longest side of the picture that XMPP clients get inside stanzas."""
RENDITION_MAX_BYTES = 4 * 1024 * 1024
IMAGE_WORKERS = 2
IMAGE_WORKERS_MAX = 16
IMAGE_WORKER_MEMORY_BYTES = 1024 * 1024 * 1024
"""The address space of a process that decodes: what a WebP of 40 megapixels takes, and little more."""
IMAGE_WORKER_TIMEOUT_S = 15
"""How long one picture may take, a hundred times of what a usual one takes."""
IMAGE_WORKER_PICTURES = 200
"""After so many pictures a fresh process takes the place of one that decodes."""
IMAGES_WAITING_MAX = 16
"""How many pictures wait for a process that decodes; each may hold 10 MiB."""
UPLOADS_MAX = 32
"""How many uploads a node reads at the same time."""
UPLOADS_PER_ACCOUNT_MAX = 4
"""How many of them one user may have: who sends slowly holds up nobody but oneself."""
IMAGE_FILES_SWEPT = 1000
"""How many files one look for pictures that nobody shows brings."""
IMAGE_KEPT_HOURS = 24
"""How long a picture is kept that no profile shows."""
IMAGE_KEPT_HOURS_MAX = 30 * 24
REMOTE_IMAGE_TIMEOUT_S = 15
REMOTE_IMAGE_REDIRECTS = 3

# -------------------------------------------------------------------------------------------------------- contacts
CONTACTS_MAX = 10_000
CONTACT_NAME_MAX_BYTES = 1024
CONTACT_GROUPS_MAX = 16
CONTACT_IMPORT_MAX = 5000
"""How many users one import names, and how many numbers one look into a phone book."""
CONTACT_IMPORT_BATCH = 50
"""How many of them share a transaction; between two, others have their turn."""
CONTACT_IMPORT_MAX_BYTES = 1024 * 1024
"""The body of an import: 5,000 of the longest identifiers."""
INVITATIONS_MAX = 50
"""How many invitations of one user are open at a time."""
INVITATION_ID_BYTES = 12
INVITATION_TTL_S = 7 * 86400
INVITATION_MIN_TTL_S = 60
INVITATION_MAX_TTL_S = 30 * 86400
INVITATION_USES_MAX = 100
INVITE_URL_MAX_CHARS = 512
BLOCKED_MAX = 1000
"""How many entries a user's block list holds."""

# ------------------------------------------------------------------------------------------------------ PEP nodes
PEP_NODES_MAX = 128
PEP_ITEMS_MAX = 256
"""How many items one node keeps; what `max` in `pubsub#max_items` stands for."""
PEP_ITEM_MAX_BYTES = 60 * 1024
PEP_NODE_MAX_BYTES = 256 * 1024
"""All items of a node, so that all fit into one answer."""
PEP_ACCOUNT_MAX_BYTES = 4 * 1024 * 1024
PEP_SUBSCRIPTIONS_MAX = 16
"""JIDs of one account that are told of one node."""
PEP_NODE_TIES_MAX = 1000
"""Accounts that are subscribed to a node or named by its owner."""
PEP_SUBSCRIBED_NODES_MAX = 256
"""Nodes that one account is subscribed to."""
AVATARS_KNOWN_MAX = 10_000
"""How many pictures a node remembers what to say of."""

# ------------------------------------------------------------------------------------------------------ QR sign-in
QR_LINK_ID_BYTES = 16
QR_CODE_BYTES = 32
QR_CODE_TTL_S = 60
QR_REFRESH_S = 25
"""A new code comes this often; the last two are valid."""
QR_CODES_MAX = 12
"""After so many codes (5 minutes) a link waits for a click."""
QR_WAIT_TTL_S = 600
"""How long a link lives after its last code, so that a click or a resumed socket still finds it."""
QR_CONSENT_TTL_S = 120
"""How long the phone may take from the scan to the approval."""
QR_CHECK_TTL_S = 120
"""How long the browser may take from the approval to the right check code."""
QR_DELIVERY_TTL_S = 60
"""How long a sealed credential waits for a socket that was lost."""
QR_KEPT_S = 600
"""How long a link is kept after its end, so that a late scan is told what happened."""
QR_TYPED_CODE_CHARS = 8
QR_CHECK_CODE_DIGITS = 2
QR_CHECK_TRIES = 3
QR_ORIGINS_MAX = 20
QR_ORIGIN_MAX_CHARS = 255
QR_SESSION_IDLE_DAYS = 30
QR_SESSION_IDLE_DAYS_MAX = 365
QR_SIGNAL_MAX_BYTES = 4096
"""The largest message of a browser to the signal server."""
QR_HELLO_TIMEOUT_S = 10
"""How long a signal socket may take until it has a link."""
QR_SOCKETS_PER_ADDRESS_MAX = 500
"""How many pages of one address may show codes at once; an office or a school may share one."""

# -------------------------------------------------------------------------------------------------------- webhooks
WEBHOOKS_PER_APP_MAX = 20
WEBHOOK_ID_BYTES = 12
WEBHOOK_SECRET_BYTES = 32
WEBHOOK_MESSAGE_ID_BYTES = 18
WEBHOOK_WAITING_MAX = 10_000
"""Messages that wait for one webhook; further ones are counted and dropped."""
WEBHOOK_DEAD_MAX = 1_000
"""Dead letters of one webhook; the oldest go first."""
WEBHOOK_ATTEMPTS_MAX = 10
"""How often a message is tried, over about a day, before it is a dead letter."""
WEBHOOK_ORDERED_ATTEMPTS = 3
"""How many failed attempts hold up the messages behind."""
WEBHOOK_RETRY_S = 5
WEBHOOK_RETRY_MAX_S = 8 * 3600
WEBHOOK_TIMEOUT_S = 15
"""How long a receiver may take to answer."""
WEBHOOK_ANSWER_MAX_BYTES = 64 * 1024
"""How much of an answer is read before the connection is given up."""
WEBHOOK_BATCH = 16
"""How many messages of a webhook are taken at once."""
WEBHOOK_LEASE_S = 300
"""How long taken messages are left to who took them: a whole batch of slow answers."""

# ----------------------------------------------------------------------------------------------------- audit trail
AUDIT_PAGE_MAX = 200
AUDIT_DAYS = 365
AUDIT_DAYS_MAX = 3650
AUDIT_FORGOTTEN_EVERY_S = 86400
"""How often at most the trail of an app lets entries go."""
AUDIT_FORGOTTEN_BATCH = 1000
"""How many entries of an app share a transaction then."""
"""How many entries of the audit trail one call brings."""

# ------------------------------------------------------------------------------------------------------------ HTTP
REQUEST_MAX_BYTES = 64 * 1024
RATE_COUNTERS_MAX = 100_000

# ------------------------------------------------------------------------------------------------------------ XMPP
STANZA_MAX_BYTES = 64 * 1024
STANZA_MAX_BYTES_UNAUTHENTICATED = 10 * 1024
STANZA_MAX_DEPTH = 32
STANZA_MAX_ELEMENTS = 4096
AUTHENTICATION_TIMEOUT_S = 30
AUTHENTICATION_MAX_ATTEMPTS = 5
PENDING_OUTPUT_MAX_BYTES = 1024 * 1024
PENDING_INPUT_MAX_STANZAS = 100
PENDING_INPUT_MAX_BYTES = 128 * 1024
"""What may wait behind a slow stanza of the same client; then it is not read from."""
STANZAS_PER_S = 2_000
"""What a connection may send in the long run; a stanza counts once, and once more for each KiB of it."""
STANZAS_BURST_S = 5
"""How many seconds' worth it may send at once."""
STANZAS_ACCOUNT_FACTOR = 3
"""All connections of a user together may send so many times what one may."""
STANZAS_PAUSE_MIN_S = 0.25
STANZAS_PAUSES_MAX_S = 60
"""For so long a client that sends too much is made to wait, before it is disconnected."""
STANZAS_CALM_S = 10
"""After so long without a pause, earlier ones are forgotten."""
CONNECTIONS_PER_ADDRESS_MAX = 20_000
UNAUTHENTICATED_PER_ADDRESS_MAX = 256
RESOURCES_PER_ACCOUNT_MAX = 100
DIRECTED_PRESENCE_MAX = 1000
LAST_STATUS_MAX_CHARS = 1024
SUBSCRIPTION_REQUEST_MAX_BYTES = 4096
"""How much of a request for presence is kept until it is answered."""
CAPS_CACHE_MAX = 10_000
CAPS_INTERESTS_MAX_CHARS = 4096
"""What is wanted by a client version whose nodes have longer names together is asked for at each sign-in."""
SM_ID_BYTES = 18
SM_QUEUE_MAX_STANZAS = 20_000
"""Sent stanzas that a client may leave unacknowledged: more than the presence of a full contact list."""
SM_QUEUE_MAX_BYTES = 2 * 1024 * 1024
SM_WAITING_PER_ACCOUNT_MAX = 16
"""How many of a user's streams wait for their client to come back; the longest waiting gives way."""
OFFLINE_MESSAGES_MAX = 200
"""Messages that wait for one user who is not there."""
OFFLINE_TTL_S = 30 * 86400
ARCHIVE_DAYS = 30
ARCHIVE_DAYS_MAX = 3650
"""How long messages stay in the archives."""
ARCHIVE_MESSAGES = 10_000
ARCHIVE_MESSAGES_MAX = 1_000_000
"""How many the archive of one user keeps, give or take a sixteenth; the oldest go."""
ARCHIVE_MAX_BYTES = 64 * 1024 * 1024
ARCHIVE_TOKEN_BYTES = 8
"""The unpredictable part of a message's id in the archive."""
ARCHIVE_PAGE_MAX = 250
ARCHIVE_PAGE_MAX_BYTES = 256 * 1024
"""The messages of one page; a page of larger ones is shorter."""
CSI_HELD_MAX_STANZAS = 1000
"""Stanzas held back from an inactive client; when there are more, all go out."""
CSI_HELD_MAX_BYTES = 512 * 1024
RESUME_TTL_S = 300
"""How long a stream waits for its client to come back."""
RESUME_LEFT_TTL_S = 10
"""How long it waits for a page that was left: long enough to load it again."""

SIGN_IN_BINDS_S = 35.0
"""How long after its password was checked a client of an XMPP server outside the process may still bind a resource."""
SIGN_IN_CLOCKS_DIFFER_S = 3.0
"""How far the clocks of that server and of a node may be apart, with the whole seconds in which it tells time."""
SIGN_INS_KEPT = 200
"""How many sign-ins are kept of an account."""
