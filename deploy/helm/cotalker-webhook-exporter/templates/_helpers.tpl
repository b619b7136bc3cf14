{{- define "cotalker-webhook-exporter.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "cotalker-webhook-exporter.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $made := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $made | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* At most 52 characters: Kubernetes adds a hash of 11 to the name of a StatefulSet and makes a label of it. */}}
{{- define "cotalker-webhook-exporter.shardName" -}}
{{- $room := sub 51 (len .name) | int }}
{{- printf "%s-%s" (include "cotalker-webhook-exporter.fullname" .root | trunc $room | trimSuffix "-") .name }}
{{- end }}

{{- define "cotalker-webhook-exporter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "cotalker-webhook-exporter.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "cotalker-webhook-exporter.fullname" .) "default") }}
{{- end }}

{{- /* The Lease of the pods of a workload; "shard" is the name of the shard, if there are shards. */}}
{{- define "cotalker-webhook-exporter.lease" -}}
{{- $name := .root.Values.replica.lease | default (include "cotalker-webhook-exporter.fullname" .root) }}
{{- .shard | empty | ternary $name (printf "%s-%s" $name .shard) }}
{{- end }}

{{- define "cotalker-webhook-exporter.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Selectors cannot change later: nothing in here may depend on a version. */}}
{{- define "cotalker-webhook-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cotalker-webhook-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Of an object; "labels" are further ones. The chart's own win, or its selectors would miss. */}}
{{- define "cotalker-webhook-exporter.labels" -}}
{{- with .root }}
{{- $own := include "cotalker-webhook-exporter.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- toYaml (mergeOverwrite (dict) .Values.commonLabels ($.labels | default dict) $own) }}
{{- end }}
{{- end }}

{{- /* What stands at the head of each object. */}}
{{- define "cotalker-webhook-exporter.metadata" -}}
name: {{ .name | default (include "cotalker-webhook-exporter.fullname" .root) }}
namespace: {{ .namespace | default (include "cotalker-webhook-exporter.namespace" .root) }}
labels:
  {{- include "cotalker-webhook-exporter.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "cotalker-webhook-exporter.claimSpec" -}}
{{- with .Values.persistence }}
accessModes:
  {{- toYaml .accessModes | nindent 2 }}
resources:
  requests:
    storage: {{ .size }}
{{- if .storageClass }}
storageClassName: {{ eq .storageClass "-" | ternary "" .storageClass | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The endpoint that a ServiceMonitor and a PodMonitor have in common. */}}
{{- define "cotalker-webhook-exporter.endpoint" -}}
port: http
path: /metrics
scheme: {{ .scheme }}
honorLabels: {{ .honorLabels }}
{{- range $key := list "interval" "scrapeTimeout" "tlsConfig" "basicAuth" "relabelings" }}
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
