# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cotalker_webhook_exporter_global_optspecs
    string join \n cotalker.base-url= cotalker.token-file= cotalker.email= cotalker.password-file= cotalker.company= cotalker.admin= cotalker.ca-file= cotalker.timeout= cotalker.max-response-size= webhook.id= webhook.include= webhook.exclude= webhook.limit= webhook.max-retries= webhook.pending-timeout= poll.interval= poll.concurrency= poll.rate= poll.history= replica.lease= replica.standby-interval= state.path= web.listen-address= web.systemd-socket= web.telemetry-path= web.config.file= log.level= log.format= version h/help
end

function __fish_cotalker_webhook_exporter_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cotalker_webhook_exporter_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cotalker_webhook_exporter_using_subcommand
    set -l cmd (__fish_cotalker_webhook_exporter_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.base-url -d 'API root, http or https; a path prefix is allowed' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.token-file -d 'File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.email -d 'Log in with this account instead of a token; needs --cotalker.password-file' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.password-file -d 'File with the password of --cotalker.email' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.company -d 'Send this in the Company header, to choose one company of several' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.admin -d 'Send the header admin: true; some accounts need it to read webhooks' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.ca-file -d 'PEM file with an additional trusted CA; read again when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.timeout -d 'Time limit of one API call, from connect to last byte' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l cotalker.max-response-size -d 'Largest response, decompressed; a call with a larger one fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.id -d 'Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.include -d 'Watch only webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.exclude -d 'Do not watch webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.limit -d 'Watch at most this many webhooks; cotalker_webhooks_dropped counts the others' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.max-retries -d 'An event is lost when its attempt with this retry number, or a higher one, fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l webhook.pending-timeout -d 'A pending event without another attempt for this long is lost' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l poll.interval -d 'Time between the starts of two polls, at least 1s' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l poll.concurrency -d 'Maximum number of log calls at the same time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l poll.rate -d 'Maximum number of API calls per second; 0 = no limit' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l poll.history -d 'What a first start without state does with the entries that are already in the logs: ignore or count' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l replica.lease -d 'Name of a Kubernetes Lease in the pod\'s namespace, shared by the replicas of one account: its holder polls each interval, the others stand by' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l replica.standby-interval -d 'Time between the starts of two polls of a replica that stands by; never less than --poll.interval' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l state.path -d 'Directory for the checkpoint, created if missing; without it counts are in memory only' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l web.listen-address -d 'Address to listen on: host:port, [v6]:port or :port; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l web.systemd-socket -d 'Serve on the sockets that systemd passes, instead of --web.listen-address' -r -f -a "true\t''
false\t''"
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l web.config.file -d 'File with TLS, logins, headers and a rate limit, in the exporter-toolkit\'s format; reloaded when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l log.level -d 'error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l log.format -d 'logfmt or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -l version -d 'Print version, revision and build date'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -s h -l help -d 'Print help'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -f -a "check" -d 'Poll once and print what it shows: a first look at an account'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -f -a "lost" -d 'Read the logs once and print which events were lost and which are pending: what to replay'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -f -a "demo" -d 'Run against a simulated Cotalker on loopback; no account needed'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_needs_command" -f -a "healthcheck" -d 'Exit with 0 if the running exporter is healthy; for exec probes'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l output -d 'How check and lost print: table or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l poll.interval -d 'Time between the starts of two polls, at least 1s' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l poll.history -d 'What a first start without state does with the entries that are already in the logs: ignore or count' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l replica.lease -d 'Name of a Kubernetes Lease in the pod\'s namespace, shared by the replicas of one account: its holder polls each interval, the others stand by' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l replica.standby-interval -d 'Time between the starts of two polls of a replica that stands by; never less than --poll.interval' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l state.path -d 'Directory for the checkpoint, created if missing; without it counts are in memory only' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l web.listen-address -d 'Address to listen on: host:port, [v6]:port or :port; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l web.systemd-socket -d 'Serve on the sockets that systemd passes, instead of --web.listen-address' -r -f -a "true\t''
false\t''"
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l web.config.file -d 'File with TLS, logins, headers and a rate limit, in the exporter-toolkit\'s format; reloaded when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.base-url -d 'API root, http or https; a path prefix is allowed' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.token-file -d 'File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.email -d 'Log in with this account instead of a token; needs --cotalker.password-file' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.password-file -d 'File with the password of --cotalker.email' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.company -d 'Send this in the Company header, to choose one company of several' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.admin -d 'Send the header admin: true; some accounts need it to read webhooks' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.ca-file -d 'PEM file with an additional trusted CA; read again when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.timeout -d 'Time limit of one API call, from connect to last byte' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l cotalker.max-response-size -d 'Largest response, decompressed; a call with a larger one fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.id -d 'Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.include -d 'Watch only webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.exclude -d 'Do not watch webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.limit -d 'Watch at most this many webhooks; cotalker_webhooks_dropped counts the others' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.max-retries -d 'An event is lost when its attempt with this retry number, or a higher one, fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l webhook.pending-timeout -d 'A pending event without another attempt for this long is lost' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l poll.concurrency -d 'Maximum number of log calls at the same time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l poll.rate -d 'Maximum number of API calls per second; 0 = no limit' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l log.level -d 'error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -l log.format -d 'logfmt or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand check" -s h -l help -d 'Print help'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l output -d 'How check and lost print: table or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l since -d 'lost prints only events that were lost, or last tried, within this time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l poll.interval -d 'Time between the starts of two polls, at least 1s' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l poll.history -d 'What a first start without state does with the entries that are already in the logs: ignore or count' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l replica.lease -d 'Name of a Kubernetes Lease in the pod\'s namespace, shared by the replicas of one account: its holder polls each interval, the others stand by' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l replica.standby-interval -d 'Time between the starts of two polls of a replica that stands by; never less than --poll.interval' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l state.path -d 'Directory for the checkpoint, created if missing; without it counts are in memory only' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l web.listen-address -d 'Address to listen on: host:port, [v6]:port or :port; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l web.systemd-socket -d 'Serve on the sockets that systemd passes, instead of --web.listen-address' -r -f -a "true\t''
false\t''"
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l web.config.file -d 'File with TLS, logins, headers and a rate limit, in the exporter-toolkit\'s format; reloaded when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.base-url -d 'API root, http or https; a path prefix is allowed' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.token-file -d 'File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.email -d 'Log in with this account instead of a token; needs --cotalker.password-file' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.password-file -d 'File with the password of --cotalker.email' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.company -d 'Send this in the Company header, to choose one company of several' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.admin -d 'Send the header admin: true; some accounts need it to read webhooks' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.ca-file -d 'PEM file with an additional trusted CA; read again when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.timeout -d 'Time limit of one API call, from connect to last byte' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l cotalker.max-response-size -d 'Largest response, decompressed; a call with a larger one fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.id -d 'Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.include -d 'Watch only webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.exclude -d 'Do not watch webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.limit -d 'Watch at most this many webhooks; cotalker_webhooks_dropped counts the others' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.max-retries -d 'An event is lost when its attempt with this retry number, or a higher one, fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l webhook.pending-timeout -d 'A pending event without another attempt for this long is lost' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l poll.concurrency -d 'Maximum number of log calls at the same time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l poll.rate -d 'Maximum number of API calls per second; 0 = no limit' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l log.level -d 'error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -l log.format -d 'logfmt or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand lost" -s h -l help -d 'Print help'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l demo.speed -d 'How many times faster than real time the simulated Cotalker runs' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.base-url -d 'API root, http or https; a path prefix is allowed' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.token-file -d 'File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.email -d 'Log in with this account instead of a token; needs --cotalker.password-file' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.password-file -d 'File with the password of --cotalker.email' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.company -d 'Send this in the Company header, to choose one company of several' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.admin -d 'Send the header admin: true; some accounts need it to read webhooks' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.ca-file -d 'PEM file with an additional trusted CA; read again when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.timeout -d 'Time limit of one API call, from connect to last byte' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l cotalker.max-response-size -d 'Largest response, decompressed; a call with a larger one fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.id -d 'Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.include -d 'Watch only webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.exclude -d 'Do not watch webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.limit -d 'Watch at most this many webhooks; cotalker_webhooks_dropped counts the others' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.max-retries -d 'An event is lost when its attempt with this retry number, or a higher one, fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l webhook.pending-timeout -d 'A pending event without another attempt for this long is lost' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l poll.interval -d 'Time between the starts of two polls, at least 1s' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l poll.concurrency -d 'Maximum number of log calls at the same time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l poll.rate -d 'Maximum number of API calls per second; 0 = no limit' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l poll.history -d 'What a first start without state does with the entries that are already in the logs: ignore or count' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l replica.lease -d 'Name of a Kubernetes Lease in the pod\'s namespace, shared by the replicas of one account: its holder polls each interval, the others stand by' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l replica.standby-interval -d 'Time between the starts of two polls of a replica that stands by; never less than --poll.interval' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l state.path -d 'Directory for the checkpoint, created if missing; without it counts are in memory only' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l web.listen-address -d 'Address to listen on: host:port, [v6]:port or :port; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l web.systemd-socket -d 'Serve on the sockets that systemd passes, instead of --web.listen-address' -r -f -a "true\t''
false\t''"
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l web.config.file -d 'File with TLS, logins, headers and a rate limit, in the exporter-toolkit\'s format; reloaded when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l log.level -d 'error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -l log.format -d 'logfmt or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand demo" -s h -l help -d 'Print help'
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.base-url -d 'API root, http or https; a path prefix is allowed' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.token-file -d 'File with the bearer token (COTALKER_TOKEN holds the token itself); read again when it changes and after a 401' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.email -d 'Log in with this account instead of a token; needs --cotalker.password-file' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.password-file -d 'File with the password of --cotalker.email' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.company -d 'Send this in the Company header, to choose one company of several' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.admin -d 'Send the header admin: true; some accounts need it to read webhooks' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.ca-file -d 'PEM file with an additional trusted CA; read again when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.timeout -d 'Time limit of one API call, from connect to last byte' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l cotalker.max-response-size -d 'Largest response, decompressed; a call with a larger one fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.id -d 'Watch only this webhook; it is read by id, which works with a token that is not allowed to list; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.include -d 'Watch only webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.exclude -d 'Do not watch webhooks whose whole code matches this regular expression' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.limit -d 'Watch at most this many webhooks; cotalker_webhooks_dropped counts the others' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.max-retries -d 'An event is lost when its attempt with this retry number, or a higher one, fails' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l webhook.pending-timeout -d 'A pending event without another attempt for this long is lost' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l poll.interval -d 'Time between the starts of two polls, at least 1s' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l poll.concurrency -d 'Maximum number of log calls at the same time' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l poll.rate -d 'Maximum number of API calls per second; 0 = no limit' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l poll.history -d 'What a first start without state does with the entries that are already in the logs: ignore or count' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l replica.lease -d 'Name of a Kubernetes Lease in the pod\'s namespace, shared by the replicas of one account: its holder polls each interval, the others stand by' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l replica.standby-interval -d 'Time between the starts of two polls of a replica that stands by; never less than --poll.interval' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l state.path -d 'Directory for the checkpoint, created if missing; without it counts are in memory only' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l web.systemd-socket -d 'Serve on the sockets that systemd passes, instead of --web.listen-address' -r -f -a "true\t''
false\t''"
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l web.telemetry-path -d 'Path of the metrics' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l web.config.file -d 'File with TLS, logins, headers and a rate limit, in the exporter-toolkit\'s format; reloaded when it changes' -r -F
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l log.level -d 'error, warn, info, debug, trace, or a tracing filter such as warn,hyper=debug' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l log.format -d 'logfmt or json' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -l web.listen-address -d 'Address to listen on: host:port, [v6]:port or :port; repeatable' -r
complete -c cotalker-webhook-exporter -n "__fish_cotalker_webhook_exporter_using_subcommand healthcheck" -s h -l help -d 'Print help'
