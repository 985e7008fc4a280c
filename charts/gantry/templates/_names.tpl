{{/* Names of everything the chart makes. Pod names and Services must fit into 63 characters. */}}

{{- define "gantry.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gantry.namesrv.name" -}}{{ include "gantry.fullname" . }}-namesrv{{- end -}}
{{- define "gantry.namesrv.headless" -}}{{ include "gantry.namesrv.name" . }}-headless{{- end -}}

{{/* Of a broker set: (dict "root" $ "set" N). StatefulSet, headless Service, ConfigMap and budget share it. */}}
{{- define "gantry.set.name" -}}{{ include "gantry.fullname" .root }}-broker-{{ .set }}{{- end -}}
{{- define "gantry.set.leader" -}}{{ include "gantry.set.name" . }}-leader{{- end -}}
{{/* What clients know it by: brokerName. */}}
{{- define "gantry.set.brokerName" -}}{{ .root.Values.broker.namePrefix }}-{{ .set }}{{- end -}}

{{- define "gantry.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-broker" (include "gantry.fullname" .)) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}
