{{/*
Configuration files. A number in a values file arrives as a floating point number, which YAML would
print as 1.073741824e+09; every value is written as a quoted text, which the servers read by type.
*/}}

{{- define "gantry.config.scalar" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{ printf "%.0f" . | quote }}{{- else -}}{{ printf "%v" . | quote }}{{- end -}}
{{- else -}}{{ toString . | toJson }}{{- end -}}
{{- end -}}

{{/* A map of keys to values as lines of YAML, sorted by key. */}}
{{- define "gantry.config.lines" -}}
{{- $lines := list -}}
{{- range $key, $value := . -}}
{{- if kindIs "slice" $value -}}
{{- $lines = append $lines (printf "%s:" $key) -}}
{{- range $value -}}
{{- $lines = append $lines (printf "  - %s" (include "gantry.config.scalar" .)) -}}
{{- end -}}
{{- else -}}
{{- $lines = append $lines (printf "%s: %s" $key (include "gantry.config.scalar" $value)) -}}
{{- end -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end -}}

{{/*
Keys of broker.yaml that the chart decides: (dict "root" $ "set" N "forming" true). `forming`:
with what only an empty store looks at.
*/}}
{{- define "gantry.set.ownConfig" -}}
{{- $own := dict
  "brokerClusterName" .root.Values.broker.clusterName
  "brokerName" (include "gantry.set.brokerName" .)
  "namesrvAddr" (include "gantry.namesrv.addresses" .root | fromJsonArray)
  "listenPort" (include "gantry.port.remoting" .)
  "raftListenPort" (include "gantry.port.raft" .)
  "httpPort" (include "gantry.port.brokerHttp" .)
  "storePathRootDir" "/var/lib/gantry/store" -}}
{{- if and .forming (gt (int .root.Values.broker.replicas) 1) -}}
{{- $_ := set $own "raftInitialMembers" (include "gantry.set.members" . | fromJsonArray) -}}
{{- end -}}
{{- if .root.Values.sidecar.enabled -}}
{{- $_ := set $own "leaderAdvertisedAddress" (include "gantry.set.leaderAddress" .) -}}
{{- end -}}
{{- include "gantry.config.lines" $own -}}
{{- end -}}

{{/* namesrv.yaml, sidecar.yaml */}}
{{- define "gantry.namesrv.config" -}}
{{- include "gantry.config.lines" (merge (dict
  "listenPort" (include "gantry.port.namesrv" .)
  "httpPort" (include "gantry.port.namesrvHttp" .)
  "kvConfigPath" "/var/lib/gantry/kvConfig.json"
  "configStorePath" "/var/lib/gantry/namesrv.properties") .Values.namesrv.config) -}}
{{- end -}}

{{/* After SIGTERM it keeps the label true until its broker leads no more, as long as the pod may. */}}
{{- define "gantry.sidecar.config" -}}
{{- include "gantry.config.lines" (merge (dict
  "brokerHttpAddress" (printf "http://127.0.0.1:%s" (include "gantry.port.brokerHttp" .))
  "httpPort" (include "gantry.port.sidecarHttp" .)
  "leaderLabel" .Values.sidecar.leaderLabel
  "stopTimeoutMillis" (printf "%ds" (sub (int .Values.broker.terminationGracePeriodSeconds) 2))) .Values.sidecar.config) -}}
{{- end -}}

{{/*
What a pod reads at its start only: another value makes new pods. The founding members do not count, so
that another number of replicas leaves the pods alone.
*/}}
{{- define "gantry.set.checksum" -}}
{{- $sidecar := "" -}}
{{- if .root.Values.sidecar.enabled -}}{{- $sidecar = include "gantry.sidecar.config" .root -}}{{- end -}}
{{- list (include "gantry.set.ownConfig" .) (include "gantry.config.lines" .root.Values.broker.config) $sidecar | join "\n" | sha256sum -}}
{{- end -}}
