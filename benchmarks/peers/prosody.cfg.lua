-- Prosody for measurements: a private instance on loopback, without limits, with the faster garbage collector.
local base = "@DIR@"
run_as_root = true
daemonize = false
pidfile = base.."/prosody.pid"
data_path = base.."/data"
admins = {}
interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
c2s_direct_tls_ports = { @TLS_PORT@ }
c2s_direct_tls_ssl = { key = base.."/tls.pem"; certificate = base.."/tls.pem"; }
s2s_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = {
  "disco"; "roster"; "saslauth"; "blocklist"; "carbons"; "pep"; "private"; "smacks";
  "vcard4"; "vcard_legacy"; "csi_simple"; "ping"; "register"; "time"; "version"; "posix"; @ARCHIVE@
}
modules_disabled = { "s2s"; "tls" }
limits = {}
allow_registration = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
default_iteration_count = @ROUNDS@
storage = "internal"
network_settings = { read_timeout = 3600; tcp_backlog = 4096; }
log = { warn = base.."/prosody.log" }
default_archive_policy = true
archive_expires_after = "1d"
gc = { mode = "generational" }
VirtualHost "localhost"
