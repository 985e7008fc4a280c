{{/* What a schema cannot say, or cannot say well. Every message names the value and what to do. _installed.tpl has what depends on the cluster. */}}

{{- define "gantry.validate" -}}
{{- include "gantry.validate.config" (dict "what" "broker.config" "config" .Values.broker.config "keys" (list
  "brokerId" "brokerIP1" "brokerIP2" "brokerName" "bindAddress" "httpAddress" "httpPort" "leaderAdvertisedAddress" "listenPort"
  "namesrvAddr" "raftAdvertisedAddress" "raftInitialMembers" "raftListenPort" "storePathCommitLog" "storePathRootDir")) -}}
{{- if hasKey .Values.broker.config "brokerClusterName" -}}
{{- fail "broker.config.brokerClusterName: set broker.clusterName instead" -}}
{{- end -}}
{{- include "gantry.validate.config" (dict "what" "namesrv.config" "config" .Values.namesrv.config "keys" (list
  "bindAddress" "configStorePath" "httpAddress" "httpPort" "kvConfigPath" "listenPort")) -}}
{{- include "gantry.validate.config" (dict "what" "sidecar.config" "config" .Values.sidecar.config "keys" (list
  "brokerHttpAddress" "httpAddress" "httpPort" "leaderLabel" "serviceAccountPath" "stopTimeoutMillis")) -}}
{{- include "gantry.validate.budget" . -}}
{{- include "gantry.validate.drain" . -}}
{{- include "gantry.validate.namesrv" . -}}
{{- include "gantry.validate.shrinkTo" . -}}
{{- end -}}

{{- define "gantry.validate.config" -}}
{{- range .keys -}}
{{- if hasKey $.config . -}}
{{- fail (printf "%s.%s: the chart sets this key itself; remove it from the values" $.what .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A set keeps its majority as long as at most (replicas - 1) / 2 members are away. */}}
{{- define "gantry.validate.budget" -}}
{{- $replicas := int .Values.broker.replicas -}}
{{- $spare := div (sub $replicas 1) 2 -}}
{{- $away := int .Values.broker.pdb.maxUnavailable -}}
{{- if and .Values.broker.pdb.enabled (gt $replicas 1) (gt $away $spare) -}}
{{- fail (printf "broker.pdb.maxUnavailable: %d of %d members away leave no majority; at most %d may be" $away $replicas $spare) -}}
{{- end -}}
{{- end -}}

{{- define "gantry.validate.drain" -}}
{{- $grace := int .Values.broker.terminationGracePeriodSeconds -}}
{{- $drain := int .Values.broker.drain.timeoutSeconds -}}
{{- if and .Values.broker.drain.enabled (gt (mul 2 $drain) $grace) -}}
{{- fail (printf "broker.drain.timeoutSeconds: %d s are more than half of broker.terminationGracePeriodSeconds (%d s); the other half is for the broker's own end" $drain $grace) -}}
{{- end -}}
{{- end -}}

{{- define "gantry.validate.namesrv" -}}
{{- if and (not .Values.namesrv.enabled) (not .Values.namesrv.addresses) -}}
{{- fail "namesrv.enabled is false: name the NameServers to use in namesrv.addresses, as host:port" -}}
{{- end -}}
{{- end -}}

{{/* It confirms one change. Left in a values file, it must not confirm the next one as well. */}}
{{- define "gantry.validate.shrinkTo" -}}
{{- $to := int .Values.broker.shrinkTo -}}
{{- $replicas := int .Values.broker.replicas -}}
{{- if and (ne $to 0) (ne $to $replicas) -}}
{{- fail (printf "broker.shrinkTo: %d confirms that broker.replicas becomes %d, but broker.replicas is %d; remove broker.shrinkTo from the values" $to $to $replicas) -}}
{{- end -}}
{{- end -}}
