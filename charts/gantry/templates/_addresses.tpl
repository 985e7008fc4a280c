{{/* Addresses are names in full: pods come back with other IPs, and a full name is one question to DNS. */}}

{{- define "gantry.serviceDomain" -}}{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}{{- end -}}

{{/* The domain of the pods of a set: (dict "root" $ "set" N). */}}
{{- define "gantry.set.podDomain" -}}{{ include "gantry.set.name" . }}.{{ include "gantry.serviceDomain" .root }}{{- end -}}

{{- define "gantry.set.leaderAddress" -}}
{{ include "gantry.set.leader" . }}.{{ include "gantry.serviceDomain" .root }}:{{ include "gantry.port.remoting" . }}
{{- end -}}

{{/* JSON list: Raft addresses of the founding members of a set. */}}
{{- define "gantry.set.members" -}}
{{- $members := list -}}
{{- range $i := until (int .root.Values.broker.replicas) -}}
{{- $members = append $members (printf "%s-%d.%s:%s" (include "gantry.set.name" $) $i (include "gantry.set.podDomain" $) (include "gantry.port.raft" $)) -}}
{{- end -}}
{{- toJson $members -}}
{{- end -}}

{{/* JSON list: each NameServer by itself, since a broker registers at all of them. */}}
{{- define "gantry.namesrv.addresses" -}}
{{- $addresses := .Values.namesrv.addresses -}}
{{- if .Values.namesrv.enabled -}}
{{- range $i := until (int .Values.namesrv.replicas) -}}
{{- $addresses = append $addresses (printf "%s-%d.%s.%s:%s" (include "gantry.namesrv.name" $) $i (include "gantry.namesrv.headless" $) (include "gantry.serviceDomain" $) (include "gantry.port.namesrv" $)) -}}
{{- end -}}
{{- end -}}
{{- toJson $addresses -}}
{{- end -}}

{{/* What clients in the cluster are given. */}}
{{- define "gantry.clientAddress" -}}
{{- if .Values.namesrv.enabled -}}
{{ include "gantry.namesrv.name" . }}.{{ include "gantry.serviceDomain" . }}:{{ include "gantry.port.namesrv" . }}
{{- else -}}
{{ join ";" .Values.namesrv.addresses }}
{{- end -}}
{{- end -}}
