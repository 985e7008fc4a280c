{{/* The broker's container: (dict "root" $ "set" N). */}}
{{- define "gantry.container.broker" -}}
{{- $values := .root.Values.broker -}}
- name: broker
  image: {{ include "gantry.image" (dict "root" .root "image" $values.image) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args:
    - -c
    - /etc/gantry/broker.yaml
    # The pod's own name, which other members, clients and NameServers resolve.
    - --set
    - brokerIP1=$(POD_NAME).{{ include "gantry.set.podDomain" . }}
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    {{- with $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - {name: remoting, containerPort: {{ include "gantry.port.remoting" . }}}
    - {name: fast, containerPort: {{ include "gantry.port.fast" . }}}
    - {name: raft, containerPort: {{ include "gantry.port.raft" . }}}
    - {name: http, containerPort: {{ include "gantry.port.brokerHttp" . }}}
  startupProbe:
    {{- include "gantry.probe" (dict "probe" $values.probes.startup "path" "/startupz" "port" "http") | nindent 4 }}
  livenessProbe:
    {{- include "gantry.probe" (dict "probe" $values.probes.liveness "path" "/livez" "port" "http") | nindent 4 }}
  readinessProbe:
    {{- include "gantry.probe" (dict "probe" $values.probes.readiness "path" "/readyz" "port" "http") | nindent 4 }}
  {{- if $values.drain.enabled }}
  lifecycle:
    preStop:
      exec:
        command:
          - /usr/local/bin/gantry-sidecar
          - drain
          - --broker-http-address
          - http://127.0.0.1:{{ include "gantry.port.brokerHttp" . }}
          - --timeout
          - {{ $values.drain.timeoutSeconds | quote }}
          - --linger
          - {{ $values.drain.lingerSeconds | quote }}
  {{- end }}
  # The last lines of a broker that ends, such as a mistake in its configuration, stand in the pod's status.
  terminationMessagePolicy: FallbackToLogsOnError
  resources:
    {{- toYaml $values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .root.Values.securityContext | nindent 4 }}
  volumeMounts:
    - {name: config, mountPath: /etc/gantry, readOnly: true}
    - {name: store, mountPath: /var/lib/gantry}
{{- end -}}
