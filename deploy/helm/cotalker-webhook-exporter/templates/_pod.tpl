{{- /* The values of a workload's exporter; "webhooks" says what it watches: .Values.webhooks, or a shard. */}}
{{- define "cotalker-webhook-exporter.settings" -}}
{{- $lease := gt (int .root.Values.replica.count) 1 | ternary (include "cotalker-webhook-exporter.lease" (dict "root" .root "shard" .webhooks.name)) "" }}
{{- include "cotalker-webhook-exporter.env" (dict "values" .root.Values "webhooks" .webhooks "lease" $lease) | trim }}
{{- end }}

{{- define "cotalker-webhook-exporter.ownImage" -}}
{{- include "cotalker-webhook-exporter.image" (dict "image" .Values.image "global" .Values.global "tag" .Chart.AppVersion) }}
{{- end }}

{{- /* The credentials, in the Secret of the user or in the chart's. */}}
{{- define "cotalker-webhook-exporter.ownCredentials" -}}
{{- $secret := .Values.cotalker.token | empty | ternary "" (include "cotalker-webhook-exporter.fullname" .) }}
{{- include "cotalker-webhook-exporter.credentialVolumes" (dict "values" .Values "secret" $secret) | trim }}
{{- end }}

{{- /* Where and as whom pods run, those of `helm test` included. */}}
{{- define "cotalker-webhook-exporter.placement" -}}
serviceAccountName: {{ include "cotalker-webhook-exporter.serviceAccountName" . }}
automountServiceAccountToken: false
# A Service named "cotalker" or "exporter" would bring variables that the exporter takes for its own.
enableServiceLinks: false
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "priorityClassName" "dnsPolicy" "dnsConfig" "hostAliases" }}
{{- with get $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What all containers of the exporter have. */}}
{{- define "cotalker-webhook-exporter.container" -}}
image: {{ include "cotalker-webhook-exporter.ownImage" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- range $key := list "securityContext" "resources" }}
{{- with get $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The pod template. "webhooks" as above, "labels" are further ones, "claim" is the claim of the state, if it is none of the StatefulSet's own. */}}
{{- define "cotalker-webhook-exporter.pod" -}}
{{- with .root }}
{{- $hasReplicas := gt (int .Values.replica.count) 1 }}
metadata:
  labels:
    {{- $own := include "cotalker-webhook-exporter.selectorLabels" . | fromYaml }}
    {{- toYaml (mergeOverwrite (dict) .Values.commonLabels .Values.podLabels $own ($.labels | default dict)) | nindent 4 }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "cotalker-webhook-exporter.placement" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
  {{- range $key := list "topologySpreadConstraints" "initContainers" }}
  {{- with get $.root.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  containers:
    - name: exporter
      {{- include "cotalker-webhook-exporter.container" . | nindent 6 }}
      {{- with .Values.extraArgs }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        {{- include "cotalker-webhook-exporter.settings" $ | nindent 8 }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 10942
      livenessProbe:
        {{- if .Values.livenessProbe }}
        {{- toYaml .Values.livenessProbe | nindent 8 }}
        {{- else }}
        {{- include "cotalker-webhook-exporter.livenessProbe" (dict "values" .Values) | nindent 8 }}
        {{- end }}
      readinessProbe:
        {{- if .Values.readinessProbe }}
        {{- toYaml .Values.readinessProbe | nindent 8 }}
        {{- else }}
        {{- include "cotalker-webhook-exporter.question" (dict "values" .Values "path" "/-/ready") | trim | nindent 8 }}
        {{- end }}
      {{- with .Values.startupProbe }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "cotalker-webhook-exporter.credentialMounts" (dict "values" .Values) | nindent 8 }}
        - name: state
          mountPath: /var/lib/cotalker-webhook-exporter
        {{- if $hasReplicas }}
        {{- include "cotalker-webhook-exporter.kubernetesMount" . | nindent 8 }}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "cotalker-webhook-exporter.ownCredentials" . | nindent 4 }}
    {{- if $hasReplicas }}
    {{- include "cotalker-webhook-exporter.kubernetesVolume" . | nindent 4 }}
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
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
