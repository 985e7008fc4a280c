{{/* Ports are fixed inside a pod; nothing is gained by moving them there. */}}
{{- define "gantry.port.remoting" -}}10911{{- end -}}
{{- define "gantry.port.fast" -}}10909{{- end -}}
{{- define "gantry.port.raft" -}}10912{{- end -}}
{{- define "gantry.port.brokerHttp" -}}5557{{- end -}}
{{- define "gantry.port.namesrv" -}}9876{{- end -}}
{{- define "gantry.port.namesrvHttp" -}}5558{{- end -}}
{{- define "gantry.port.sidecarHttp" -}}5559{{- end -}}
