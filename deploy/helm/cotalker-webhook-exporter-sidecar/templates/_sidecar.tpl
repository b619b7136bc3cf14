{{- /*
What a receiver's chart includes. All take the same: a dict of "root", the chart's own dot, and "values", those of this chart.
*/}}

{{- /* An item for initContainers: it starts before the receiver, runs beside it, and ends after it. */}}
{{- define "cotalker-webhook-exporter-sidecar.nativeSidecar" -}}
{{- if semverCompare "<1.29.0-0" .root.Capabilities.KubeVersion.Version }}
{{- fail "nativeSidecar needs Kubernetes 1.29: an older one drops restartPolicy, and the receiver would wait forever. Include classicSidecar" }}
{{- end }}
{{- include "cotalker-webhook-exporter-sidecar.container" . | trim }}
  restartPolicy: Always
{{- end }}

{{- /* An item for containers, behind the receiver's own, so that `kubectl logs` and `exec` still default to the receiver. */}}
{{- define "cotalker-webhook-exporter-sidecar.classicSidecar" -}}
{{- include "cotalker-webhook-exporter-sidecar.container" . | trim }}
{{- end }}

{{- define "cotalker-webhook-exporter-sidecar.container" -}}
{{- with .values }}
{{- include "cotalker-webhook-exporter-sidecar.validate" . }}
- name: cotalker-webhook-exporter
  image: {{ include "cotalker-webhook-exporter-sidecar.image" . }}
  {{- with .image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  env:
    {{- include "cotalker-webhook-exporter-sidecar.env" (dict "values" . "webhooks" .webhooks "lease" .replica.lease) | trim | nindent 4 }}
  ports:
    # A number wherever it is referred to: Services find named ports of native sidecars only from Kubernetes 1.32 on.
    - containerPort: 10942
  # The only probe: the receiver's pod must not go out of service for its exporter, nor wait for it.
  livenessProbe:
    {{- include "cotalker-webhook-exporter-sidecar.livenessProbe" (dict "values" .) | nindent 4 }}
  # So that `kubectl describe pod` shows why it ended.
  terminationMessagePolicy: FallbackToLogsOnError
  {{- $values := . }}
  {{- range $key := list "securityContext" "resources" }}
  {{- with get $values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  volumeMounts:
    {{- include "cotalker-webhook-exporter-sidecar.credentialMounts" (dict "values" .) | nindent 4 }}
    - name: cotalker-state
      mountPath: /var/lib/cotalker-webhook-exporter
    {{- if .replica.lease }}
    {{- include "cotalker-webhook-exporter-sidecar.kubernetesMount" . | nindent 4 }}
    {{- end }}
    {{- with .extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}

{{- /* Items for volumes. */}}
{{- define "cotalker-webhook-exporter-sidecar.volumes" -}}
{{- with .values }}
{{- include "cotalker-webhook-exporter-sidecar.credentialVolumes" (dict "values" .) | trim }}
{{- if .replica.lease }}
{{ include "cotalker-webhook-exporter-sidecar.kubernetesVolume" . }}
{{- end }}
{{- if .state.create }}
- name: cotalker-state
  {{- if .state.volume }}
  {{- toYaml .state.volume | nindent 2 }}
  {{- else }}
  # The limit is far above what 10,000 webhooks take: a pod that exceeds it is evicted.
  emptyDir:
    sizeLimit: 1Gi
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Labels of the pods, by which the PodMonitor finds them: its own release's, and no others. */}}
{{- define "cotalker-webhook-exporter-sidecar.podLabels" -}}
cotalker-webhook-exporter: {{ .root.Release.Name }}
{{- end }}

{{- define "cotalker-webhook-exporter-sidecar.metadata" -}}
name: {{ .root.Release.Name }}-{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- $own := dict "app.kubernetes.io/name" "cotalker-webhook-exporter" "app.kubernetes.io/instance" .root.Release.Name "app.kubernetes.io/managed-by" .root.Release.Service }}
  {{- toYaml (mergeOverwrite (dict) (.labels | default dict) $own) | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Whole objects, with `replica.lease`: they let "serviceAccountName", of the pods, share the Lease. */}}
{{- define "cotalker-webhook-exporter-sidecar.rbac" -}}
{{- if .values.replica.lease }}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "cotalker-webhook-exporter-sidecar.metadata" (dict "root" .root "suffix" "exporter") | nindent 2 }}
rules:
  {{- include "cotalker-webhook-exporter-sidecar.leaseRules" (dict "leases" (list .values.replica.lease)) | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "cotalker-webhook-exporter-sidecar.metadata" (dict "root" .root "suffix" "exporter") | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .root.Release.Name }}-exporter
subjects:
  - kind: ServiceAccount
    name: {{ required "rbac needs serviceAccountName: the ServiceAccount of the receiver's pods" .serviceAccountName }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
{{- end }}

{{- /* A whole object, with `podMonitor.enabled`. */}}
{{- define "cotalker-webhook-exporter-sidecar.podMonitor" -}}
{{- with .values.podMonitor }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "cotalker-webhook-exporter-sidecar.metadata" (dict "root" $.root "suffix" "exporter" "labels" .labels "annotations" .annotations) | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "cotalker-webhook-exporter-sidecar.podLabels" $ | nindent 6 }}
  podMetricsEndpoints:
    # By number, since a receiver may have a port of the same name. The operator knows this field from 0.79 on.
    - portNumber: 10942
      {{- include "cotalker-webhook-exporter-sidecar.endpoint" . | nindent 6 }}
{{- end }}
{{- end }}
{{- end }}
