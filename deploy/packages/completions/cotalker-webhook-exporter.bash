_cotalker__webhook__exporter() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="cotalker__webhook__exporter"
                ;;
            cotalker__webhook__exporter,check)
                cmd="cotalker__webhook__exporter__subcmd__check"
                ;;
            cotalker__webhook__exporter,demo)
                cmd="cotalker__webhook__exporter__subcmd__demo"
                ;;
            cotalker__webhook__exporter,healthcheck)
                cmd="cotalker__webhook__exporter__subcmd__healthcheck"
                ;;
            cotalker__webhook__exporter,lost)
                cmd="cotalker__webhook__exporter__subcmd__lost"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        cotalker__webhook__exporter)
            opts="-h --cotalker.base-url --cotalker.token-file --cotalker.email --cotalker.password-file --cotalker.company --cotalker.admin --cotalker.ca-file --cotalker.timeout --cotalker.max-response-size --webhook.id --webhook.include --webhook.exclude --webhook.limit --webhook.max-retries --webhook.pending-timeout --poll.interval --poll.concurrency --poll.rate --poll.history --replica.lease --replica.standby-interval --state.path --web.listen-address --web.systemd-socket --web.telemetry-path --web.config.file --log.level --log.format --version --help check lost demo healthcheck"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --cotalker.base-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.email)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.password-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.company)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.max-response-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.max-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.pending-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.lease)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.standby-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state.path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.systemd-socket)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        cotalker__subcmd__webhook__subcmd__exporter__subcmd__check)
            opts="-h --output --poll.interval --poll.history --replica.lease --replica.standby-interval --state.path --web.listen-address --web.systemd-socket --web.telemetry-path --web.config.file --cotalker.base-url --cotalker.token-file --cotalker.email --cotalker.password-file --cotalker.company --cotalker.admin --cotalker.ca-file --cotalker.timeout --cotalker.max-response-size --webhook.id --webhook.include --webhook.exclude --webhook.limit --webhook.max-retries --webhook.pending-timeout --poll.concurrency --poll.rate --log.level --log.format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.lease)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.standby-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state.path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.systemd-socket)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.base-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.email)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.password-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.company)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.max-response-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.max-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.pending-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        cotalker__subcmd__webhook__subcmd__exporter__subcmd__demo)
            opts="-h --demo.speed --cotalker.base-url --cotalker.token-file --cotalker.email --cotalker.password-file --cotalker.company --cotalker.admin --cotalker.ca-file --cotalker.timeout --cotalker.max-response-size --webhook.id --webhook.include --webhook.exclude --webhook.limit --webhook.max-retries --webhook.pending-timeout --poll.interval --poll.concurrency --poll.rate --poll.history --replica.lease --replica.standby-interval --state.path --web.listen-address --web.systemd-socket --web.telemetry-path --web.config.file --log.level --log.format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --demo.speed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.base-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.email)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.password-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.company)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.max-response-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.max-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.pending-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.lease)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.standby-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state.path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.systemd-socket)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        cotalker__subcmd__webhook__subcmd__exporter__subcmd__healthcheck)
            opts="-h --cotalker.base-url --cotalker.token-file --cotalker.email --cotalker.password-file --cotalker.company --cotalker.admin --cotalker.ca-file --cotalker.timeout --cotalker.max-response-size --webhook.id --webhook.include --webhook.exclude --webhook.limit --webhook.max-retries --webhook.pending-timeout --poll.interval --poll.concurrency --poll.rate --poll.history --replica.lease --replica.standby-interval --state.path --web.systemd-socket --web.telemetry-path --web.config.file --log.level --log.format --web.listen-address --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --cotalker.base-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.email)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.password-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.company)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.max-response-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.max-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.pending-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.lease)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.standby-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state.path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.systemd-socket)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        cotalker__subcmd__webhook__subcmd__exporter__subcmd__lost)
            opts="-h --output --since --poll.interval --poll.history --replica.lease --replica.standby-interval --state.path --web.listen-address --web.systemd-socket --web.telemetry-path --web.config.file --cotalker.base-url --cotalker.token-file --cotalker.email --cotalker.password-file --cotalker.company --cotalker.admin --cotalker.ca-file --cotalker.timeout --cotalker.max-response-size --webhook.id --webhook.include --webhook.exclude --webhook.limit --webhook.max-retries --webhook.pending-timeout --poll.concurrency --poll.rate --log.level --log.format --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --since)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.lease)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --replica.standby-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state.path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.listen-address)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.systemd-socket)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --web.telemetry-path)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --web.config.file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.base-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.email)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.password-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.company)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.admin)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --cotalker.max-response-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.id)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.include)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.max-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --webhook.pending-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.concurrency)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --poll.rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.level)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log.format)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _cotalker__webhook__exporter -o nosort -o bashdefault -o default cotalker-webhook-exporter
else
    complete -F _cotalker__webhook__exporter -o bashdefault -o default cotalker-webhook-exporter
fi
