{{/* Labels. Selectors never change in the life of a release, so they hold only what never changes. */}}

{{- define "gantry.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gantry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "gantry.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gantry.namesrv.selectorLabels" -}}
{{ include "gantry.selectorLabels" . }}
app.kubernetes.io/component: namesrv
{{- end -}}

{{/* (dict "root" $ "set" N) */}}
{{- define "gantry.set.selectorLabels" -}}
{{ include "gantry.selectorLabels" .root }}
app.kubernetes.io/component: broker
gantry.dev/broker-set: {{ include "gantry.set.brokerName" . }}
{{- end -}}

{{/* On the Services whose endpoints are all pods, each once: what Prometheus finds them by. */}}
{{- define "gantry.metricsLabel" -}}
gantry.dev/metrics: "true"
{{- end -}}
