{{- /*
The exporter in a pod, whoever the pod is for: this chart and the library chart cotalker-webhook-exporter-sidecar have the same
file, each with its own prefix, so that charts of two versions can be parts of one release. A test compares; Helm has no way
to share it that needs neither `helm dependency build` nor symbolic links. "values" are `cotalker`, `webhooks` and so on.
*/}}

{{- /* What the schema cannot say in one clear line. Renders nothing. */}}
{{- define "cotalker-webhook-exporter-sidecar.validate" -}}
{{- with .cotalker }}
{{- if contains "@" .baseUrl }}
{{- fail "cotalker.baseUrl must hold no user and no password: the credentials belong in cotalker.existingSecret" }}
{{- end }}
{{- if and .ca.configMap .ca.secret }}
{{- fail "cotalker.ca.configMap and cotalker.ca.secret are mutually exclusive: unset one" }}
{{- end }}
{{- end }}
{{- /* Probes, Service, monitors and network policy have them fixed. */}}
{{- range .extraEnv }}
{{- if has .name (list "EXPORTER_WEB_LISTEN_ADDRESS" "EXPORTER_WEB_TELEMETRY_PATH") }}
{{- fail (printf "extraEnv: %s cannot change here: probes and monitors rely on :10942 and /metrics" .name) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* "image", "global", and the "tag" that is the default. */}}
{{- define "cotalker-webhook-exporter-sidecar.image" -}}
{{- $registry := (.global | default dict).imageRegistry | default .image.registry }}
{{- $repository := .image.repository }}
{{- if not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $repository) }}
{{- $repository = list $registry $repository | compact | join "/" }}
{{- end }}
{{- .image.digest | empty | ternary (printf "%s:%s" $repository (.image.tag | default .tag)) (printf "%s@%s" $repository .image.digest) }}
{{- end }}

{{- /*
Settings are variables, not flags: `healthcheck` as a probe, and `check` by `kubectl exec`, see the variables of the
container, but not its flags. "webhooks" says what is watched, "lease" is the Lease of the replicas, if there is one.
*/}}
{{- define "cotalker-webhook-exporter-sidecar.env" -}}
{{- with .values }}
{{- $env := list
  (list "COTALKER_BASE_URL" .cotalker.baseUrl)
  (list "COTALKER_TOKEN_FILE" (empty .cotalker.email | ternary "/var/run/secrets/cotalker/token" ""))
  (list "COTALKER_EMAIL" .cotalker.email)
  (list "COTALKER_PASSWORD_FILE" (empty .cotalker.email | ternary "" "/var/run/secrets/cotalker/password"))
  (list "COTALKER_COMPANY" .cotalker.company)
  (list "COTALKER_ADMIN" (.cotalker.admin | default ""))
  (list "COTALKER_CA_FILE" (or .cotalker.ca.configMap .cotalker.ca.secret | empty | ternary "" "/etc/cotalker-webhook-exporter/ca/ca.crt"))
  (list "COTALKER_TIMEOUT" .cotalker.timeout)
  (list "COTALKER_MAX_RESPONSE_SIZE" .cotalker.maxResponseSize)
  (list "EXPORTER_WEBHOOK_ID" (join "," $.webhooks.ids))
  (list "EXPORTER_WEBHOOK_INCLUDE" $.webhooks.include)
  (list "EXPORTER_WEBHOOK_EXCLUDE" $.webhooks.exclude)
  (list "EXPORTER_WEBHOOK_LIMIT" .webhooks.limit)
  (list "EXPORTER_WEBHOOK_MAX_RETRIES" .webhooks.maxRetries)
  (list "EXPORTER_WEBHOOK_PENDING_TIMEOUT" .webhooks.pendingTimeout)
  (list "EXPORTER_POLL_INTERVAL" .poll.interval)
  (list "EXPORTER_POLL_CONCURRENCY" .poll.concurrency)
  (list "EXPORTER_POLL_RATE" .poll.rate)
  (list "EXPORTER_POLL_HISTORY" .poll.history)
  (list "EXPORTER_REPLICA_LEASE" $.lease)
  (list "EXPORTER_REPLICA_STANDBY_INTERVAL" (empty $.lease | ternary "" .replica.standbyInterval))
  (list "EXPORTER_STATE_PATH" "/var/lib/cotalker-webhook-exporter")
  (list "EXPORTER_WEB_CONFIG_FILE" (.web.config.existingSecret | empty | ternary "" (printf "/etc/cotalker-webhook-exporter/web/%s" .web.config.existingSecretKey)))
  (list "EXPORTER_LOG_LEVEL" .log.level)
  (list "EXPORTER_LOG_FORMAT" .log.format)
}}
{{- $replaced := list }}
{{- range .extraEnv }}
{{- $replaced = append $replaced .name }}
{{- end }}
{{- range $env }}
{{- $value := last . }}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) }}
{{- /* Helm's numbers are floats, and a million would be written 1e+06. */}}
{{- $value = int64 $value }}
{{- end }}
{{- if not (or (has (first .) $replaced) (kindIs "invalid" $value) (eq (toString $value) "")) }}
- name: {{ first . }}
  {{- /* $$ is $ to Kubernetes; otherwise it would take the end of a regular expression for a reference. */}}
  value: {{ toString $value | replace "$" "$$" | quote }}
{{- end }}
{{- end }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* How a probe asks for "path". */}}
{{- define "cotalker-webhook-exporter-sidecar.question" -}}
{{- if .values.web.config.existingSecret }}
{{- /* Only the file says whether there is TLS, and the kubelet has no client certificate. `healthcheck` tries HTTP, then HTTPS
without a look at the certificate, and a server that demands a client certificate counts as healthy. */}}
exec:
  command: [/cotalker-webhook-exporter, healthcheck]
{{- else }}
httpGet:
  path: {{ .path }}
  port: 10942
{{- end }}
# Above the 3 s that `healthcheck` itself waits, so that its reason is seen.
timeoutSeconds: 5
{{- end }}

{{- /* It asks whether the process works, never whether Cotalker does, and gives it 2 minutes. */}}
{{- define "cotalker-webhook-exporter-sidecar.livenessProbe" -}}
{{- include "cotalker-webhook-exporter-sidecar.question" (dict "values" .values "path" "/-/healthy") | trim }}
periodSeconds: 30
failureThreshold: 4
{{- end }}

{{- /* What every command of the exporter reads. Directories, never a subPath: that would not follow a rotated Secret. */}}
{{- define "cotalker-webhook-exporter-sidecar.credentialMounts" -}}
- name: cotalker-token
  mountPath: /var/run/secrets/cotalker
  readOnly: true
{{- if or .values.cotalker.ca.configMap .values.cotalker.ca.secret }}
- name: cotalker-ca
  mountPath: /etc/cotalker-webhook-exporter/ca
  readOnly: true
{{- end }}
{{- if .values.web.config.existingSecret }}
- name: cotalker-web-config
  mountPath: /etc/cotalker-webhook-exporter/web
  readOnly: true
{{- end }}
{{- end }}

{{- define "cotalker-webhook-exporter-sidecar.credentialVolumes" -}}
{{- with .values }}
- name: cotalker-token
  secret:
    secretName: {{ $.secret | default .cotalker.existingSecret }}
    # This key only: the Secret may hold more than the exporter should see.
    items:
      {{- if .cotalker.email }}
      - key: {{ .cotalker.existingSecretPasswordKey }}
        path: password
      {{- else }}
      - key: {{ $.secret | empty | ternary .cotalker.existingSecretKey "token" }}
        path: token
      {{- end }}
{{- if or .cotalker.ca.configMap .cotalker.ca.secret }}
- name: cotalker-ca
  {{- if .cotalker.ca.configMap }}
  configMap:
    name: {{ .cotalker.ca.configMap }}
  {{- else }}
  secret:
    secretName: {{ .cotalker.ca.secret }}
  {{- end }}
    items:
      - key: {{ .cotalker.ca.key }}
        path: ca.crt
{{- end }}
{{- with .web.config.existingSecret }}
# Whole: certificates may lie beside the file.
- name: cotalker-web-config
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What Kubernetes would mount into each container of the pod, for the exporter's only. */}}
{{- define "cotalker-webhook-exporter-sidecar.kubernetesMount" -}}
- name: cotalker-kubernetes
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{- define "cotalker-webhook-exporter-sidecar.kubernetesVolume" -}}
- name: cotalker-kubernetes
  projected:
    sources:
      - serviceAccountToken:
          path: token
          # As Kubernetes does it itself.
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}

{{- /* What replicas may do; "leases" are the names. */}}
{{- define "cotalker-webhook-exporter-sidecar.leaseRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: {{ toJson .leases }}
  verbs: [get, update]
# Kubernetes cannot bind this to a name: an object that is to be made has none yet.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
{{- end }}

{{- /* How a PodMonitor or a ServiceMonitor scrapes; the port stands above. */}}
{{- define "cotalker-webhook-exporter-sidecar.endpoint" -}}
path: /metrics
honorLabels: {{ .honorLabels }}
{{- range $key := list "scheme" "interval" "scrapeTimeout" "proxyUrl" "tlsConfig" "basicAuth" "relabelings" }}
{{- with get $ $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
metricRelabelings:
  # Where the operator enforces honorLabels: false, the label endpoint of the exporter's own metrics comes back so.
  - sourceLabels: [exported_endpoint]
    regex: (.+)
    targetLabel: endpoint
  - regex: exported_endpoint
    action: labeldrop
{{- with .metricRelabelings }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
