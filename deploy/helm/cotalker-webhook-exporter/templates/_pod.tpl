{{- /*
Settings are variables, not flags: `healthcheck` as a probe, and `check` by `kubectl exec`, see the variables of the
container, but not its flags. "webhooks" says what is watched: .Values.webhooks, or a shard.
*/}}
{{- define "cotalker-webhook-exporter.env" -}}
{{- with .root.Values }}
{{- $env := list
  (list "COTALKER_BASE_URL" .cotalker.baseUrl)
  (list "COTALKER_TOKEN_FILE" (empty .cotalker.email | ternary "/var/run/secrets/cotalker/token" ""))
  (list "COTALKER_EMAIL" .cotalker.email)
  (list "COTALKER_PASSWORD_FILE" (empty .cotalker.email | ternary "" "/var/run/secrets/cotalker/password"))
  (list "COTALKER_COMPANY" .cotalker.company)
  (list "COTALKER_ADMIN" .cotalker.admin)
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
  (list "EXPORTER_REPLICA_LEASE" (gt (int .replica.count) 1 | ternary (include "cotalker-webhook-exporter.lease" (dict "root" $.root "shard" $.webhooks.name)) ""))
  (list "EXPORTER_REPLICA_STANDBY_INTERVAL" (gt (int .replica.count) 1 | ternary .replica.standbyInterval ""))
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

{{- /* A whole probe from the values, or the default for "path"; "patience" are further fields of the default. */}}
{{- define "cotalker-webhook-exporter.probe" -}}
{{- if .probe }}
{{- toYaml .probe }}
{{- else if .root.Values.web.config.existingSecret }}
{{- /* Only the file says whether there is TLS, and the kubelet has no client certificate. `healthcheck` tries HTTP, then HTTPS
without a look at the certificate, and a server that demands a client certificate counts as healthy. */}}
exec:
  command: [/cotalker-webhook-exporter, healthcheck]
# Above the 3 s that `healthcheck` itself waits, so that its reason is seen.
timeoutSeconds: 5
{{- else }}
httpGet:
  path: {{ .path }}
  port: 10942
timeoutSeconds: 5
{{- end }}
{{- if not .probe }}
{{- with .patience }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The pod template. "webhooks" as above, "labels" are further ones, "claim" is the claim of the state, if it is none of the StatefulSet's own. */}}
{{- define "cotalker-webhook-exporter.pod" -}}
{{- with .root }}
metadata:
  labels:
    {{- $own := include "cotalker-webhook-exporter.selectorLabels" . | fromYaml }}
    {{- toYaml (mergeOverwrite (dict) .Values.commonLabels .Values.podLabels $own ($.labels | default dict)) | nindent 4 }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "cotalker-webhook-exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  # A Service named "cotalker" or "exporter" would bring variables that the exporter takes for its own.
  enableServiceLinks: false
  {{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
  {{- with get $.root.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: exporter
      image: {{ include "cotalker-webhook-exporter.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- with .Values.extraArgs }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- include "cotalker-webhook-exporter.env" $ | trim | nindent 8 }}
      ports:
        - name: http
          containerPort: 10942
      livenessProbe:
        {{- /* It asks whether the process works, never whether Cotalker does, and gives it 2 minutes. */}}
        {{- $patience := dict "periodSeconds" 30 "failureThreshold" 4 }}
        {{- include "cotalker-webhook-exporter.probe" (dict "root" . "probe" .Values.livenessProbe "path" "/-/healthy" "patience" $patience) | trim | nindent 8 }}
      readinessProbe:
        {{- include "cotalker-webhook-exporter.probe" (dict "root" . "probe" .Values.readinessProbe "path" "/-/ready") | trim | nindent 8 }}
      {{- with .Values.startupProbe }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        # Directories, never a subPath: that would not follow a rotated Secret.
        - name: credentials
          mountPath: /var/run/secrets/cotalker
          readOnly: true
        - name: state
          mountPath: /var/lib/cotalker-webhook-exporter
        {{- if gt (int .Values.replica.count) 1 }}
        - name: kubernetes
          mountPath: /var/run/secrets/kubernetes.io/serviceaccount
          readOnly: true
        {{- end }}
        {{- if or .Values.cotalker.ca.configMap .Values.cotalker.ca.secret }}
        - name: ca
          mountPath: /etc/cotalker-webhook-exporter/ca
          readOnly: true
        {{- end }}
        {{- if .Values.web.config.existingSecret }}
        - name: web-config
          mountPath: /etc/cotalker-webhook-exporter/web
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: credentials
      secret:
        secretName: {{ .Values.cotalker.existingSecret | default (include "cotalker-webhook-exporter.fullname" .) }}
        # This key only: the Secret may hold more than the exporter should see.
        items:
          {{- if .Values.cotalker.email }}
          - key: {{ .Values.cotalker.existingSecretPasswordKey }}
            path: password
          {{- else }}
          - key: {{ .Values.cotalker.token | empty | ternary .Values.cotalker.existingSecretKey "token" }}
            path: token
          {{- end }}
    {{- if gt (int .Values.replica.count) 1 }}
    # What Kubernetes would mount into each container of the pod, for this one only.
    - name: kubernetes
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
    {{- if $.claim }}
    - name: state
      persistentVolumeClaim:
        claimName: {{ $.claim }}
    {{- else if not .Values.persistence.enabled }}
    # Outlives the container, but not the pod.
    - name: state
      emptyDir: {}
    {{- end }}
    {{- with .Values.cotalker.ca.configMap }}
    - name: ca
      configMap:
        name: {{ . }}
        items:
          - key: {{ $.root.Values.cotalker.ca.key }}
            path: ca.crt
    {{- end }}
    {{- with .Values.cotalker.ca.secret }}
    - name: ca
      secret:
        secretName: {{ . }}
        items:
          - key: {{ $.root.Values.cotalker.ca.key }}
            path: ca.crt
    {{- end }}
    {{- with .Values.web.config.existingSecret }}
    # Whole: certificates may lie beside the file.
    - name: web-config
      secret:
        secretName: {{ . }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
