{{/*
Values against what is installed and what the cluster has. `lookup` gives nothing without a cluster (helm template,
and what builds on it), and then nothing is refused here.
*/}}

{{/*
A pod that Kubernetes takes away is still a member that its set counts. One message for all sets: whoever
confirms the smaller number confirms it for all of them.
*/}}
{{- define "gantry.validate.shrink" -}}
{{- $replicas := int .Values.broker.replicas -}}
{{- $commands := list -}}
{{- $larger := list -}}
{{- $most := 0 -}}
{{- range $set := until (int .Values.broker.sets) -}}
{{- $ctx := dict "root" $ "set" $set -}}
{{- $name := include "gantry.set.name" $ctx -}}
{{- $old := lookup "apps/v1" "StatefulSet" $.Release.Namespace $name -}}
{{- if and $old (gt (int $old.spec.replicas) $replicas) -}}
{{- $pods := int $old.spec.replicas -}}
{{- $most = max $most $pods -}}
{{- $larger = append $larger (printf "%s has %d" $name $pods) -}}
{{- range $i := untilStep (int (sub $pods 1)) (int (sub $replicas 1)) -1 -}}
{{- $commands = append $commands (printf "  gantry cluster remove %s-%d.%s:%s --broker %s" $name $i (include "gantry.set.podDomain" $ctx) (include "gantry.port.raft" $) (include "gantry.set.brokerName" $ctx)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $larger (ne (int .Values.broker.shrinkTo) $replicas) -}}
{{- $loss := ternary "would have no majority, and serve nobody" "would bear fewer failures" (le (mul 2 $replicas) $most) -}}
{{- fail (printf "broker.replicas: %d, but StatefulSet %s. The pods that go would still be members: a set of %d of which %d are left %s. Remove the members first, in a pod with the image of the command line tool (helm get notes %s):\n%s\nWhen gantry cluster members shows %d of them in each set, confirm it: --set broker.replicas=%d --set broker.shrinkTo=%d"
  $replicas (join ", " $larger) $most $replicas $loss .Release.Name (join "\n" $commands) $replicas $replicas $replicas) -}}
{{- end -}}
{{- end -}}

{{/*
Volumes of a StatefulSet: (dict "root" $ "name" NAME "what" "broker.persistence" "persistence" VALUES "claim" "store").
Claims of a StatefulSet cannot be changed; the API server's answer does not say how it is done.
*/}}
{{- define "gantry.validate.volumes" -}}
{{- $old := lookup "apps/v1" "StatefulSet" .root.Release.Namespace .name -}}
{{- if $old -}}
{{- $claims := default list $old.spec.volumeClaimTemplates -}}
{{- if ne (empty $claims) (not .persistence.enabled) -}}
{{- fail (printf "%s.enabled: StatefulSet %s was installed with the other choice, which cannot be changed; %s" .what .name .instead) -}}
{{- else if $claims -}}
{{- include "gantry.validate.claim" (merge (dict "spec" (index $claims 0).spec) .) -}}
{{- end -}}
{{- else if .persistence.enabled -}}
{{- include "gantry.validate.storageClass" . -}}
{{- end -}}
{{- end -}}

{{- define "gantry.validate.claim" -}}
{{- $size := .spec.resources.requests.storage -}}
{{- if ne (include "gantry.bytes" $size) (include "gantry.bytes" .persistence.size) -}}
{{- fail (printf "%s.size: %s, but StatefulSet %s has volumes of %s. Volumes can grow, never shrink; to let them grow, raise the request of each claim %s-%s-N, delete the StatefulSet with --cascade=orphan, and upgrade again" .what .persistence.size .name $size .claim .name) -}}
{{- end -}}
{{- $class := default "" .spec.storageClassName -}}
{{- if ne $class .persistence.storageClass -}}
{{- fail (printf "%s.storageClass: %q, but StatefulSet %s was installed with %q, which cannot be changed; %s" .what .persistence.storageClass .name $class .instead) -}}
{{- end -}}
{{- end -}}

{{/* A quantity as a number of bytes: the API server writes 1024Mi as 1Gi. */}}
{{- define "gantry.bytes" -}}
{{- $factors := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- $text := toString . -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- printf "%.0f" (mulf (trimSuffix $unit $text | float64) (get $factors $unit)) -}}
{{- end -}}

{{/* Only for a StatefulSet that is to be made: claims of another one are there already. */}}
{{- define "gantry.validate.storageClass" -}}
{{- if .root.Values.checkStorageClass -}}
{{- $classes := include "set checkStorageClass=false where Helm may not list StorageClasses" . | fromJson -}}
{{- if hasKey $classes "items" -}}
{{- $names := list -}}
{{- $shown := list -}}
{{- $default := false -}}
{{- range $classes.items -}}
{{- $names = append $names .metadata.name -}}
{{- $annotations := default dict .metadata.annotations -}}
{{- if or (eq (toString (get $annotations "storageclass.kubernetes.io/is-default-class")) "true") (eq (toString (get $annotations "storageclass.beta.kubernetes.io/is-default-class")) "true") -}}
{{- $default = true -}}
{{- $shown = append $shown (printf "%s (default)" .metadata.name) -}}
{{- else -}}
{{- $shown = append $shown .metadata.name -}}
{{- end -}}
{{- end -}}
{{- $there := ternary (printf "it has %s" (join ", " (sortAlpha $shown))) "it has none at all" (not (empty $shown)) -}}
{{- $byHand := "checkStorageClass=false takes what is written, for volumes that are made by hand" -}}
{{- $wanted := .persistence.storageClass -}}
{{- if and $wanted (not (has $wanted $names)) -}}
{{- fail (printf "%s.storageClass: the cluster has no StorageClass %q; %s. Name one that exists (%s)" .what $wanted $there $byHand) -}}
{{- else if not (or $wanted $default) -}}
{{- fail (printf "%s.storageClass: none is named, and the cluster has no default StorageClass; %s. Name one, or give one the annotation storageclass.kubernetes.io/is-default-class=true (%s)" .what $there $byHand) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A template cannot catch the error of a `lookup` that is forbidden, but Helm shows the name of the template it is in. */}}
{{- define "set checkStorageClass=false where Helm may not list StorageClasses" -}}
{{- lookup "storage.k8s.io/v1" "StorageClass" "" "" | toJson -}}
{{- end -}}
