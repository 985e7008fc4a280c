{{/* What a schema cannot say, or cannot say well. Every message names the value and what to do. */}}

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

{{/* (dict "root" $ "set" N): claims of a StatefulSet cannot be changed; the API server's answer does not say how it is done. */}}
{{- define "gantry.validate.volume" -}}
{{- $name := include "gantry.set.name" . -}}
{{- $old := lookup "apps/v1" "StatefulSet" .root.Release.Namespace $name -}}
{{- if $old -}}
{{- $claims := default list $old.spec.volumeClaimTemplates -}}
{{- $wanted := .root.Values.broker.persistence -}}
{{- if and $claims $wanted.enabled -}}
{{- $size := (index $claims 0).spec.resources.requests.storage -}}
{{- if ne $size $wanted.size -}}
{{- fail (printf "broker.persistence.size: %s, but StatefulSet %s has volumes of %s. Volumes can grow, never shrink; to let them grow, raise the request of each claim store-%s-N, delete the StatefulSet with --cascade=orphan, and upgrade again" $wanted.size $name $size $name) -}}
{{- end -}}
{{- else if ne (empty $claims) (not $wanted.enabled) -}}
{{- fail (printf "broker.persistence.enabled: StatefulSet %s was installed with the other choice, which cannot be changed; install a new release and move the topics" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
