{{/* The sidecar's container: (dict "root" $ "set" N). It has no readiness probe: the broker's readiness is the pod's. */}}
{{- define "gantry.container.sidecar" -}}
{{- $values := .root.Values.sidecar -}}
- name: sidecar
  image: {{ include "gantry.image" (dict "root" .root "image" $values.image) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: [-c, /etc/gantry/sidecar.yaml]
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          fieldPath: metadata.namespace
    - name: POD_UID
      valueFrom:
        fieldRef:
          fieldPath: metadata.uid
    {{- with $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  ports:
    - {name: sidecar-http, containerPort: {{ include "gantry.port.sidecarHttp" . }}}
  livenessProbe:
    httpGet:
      path: /livez
      port: sidecar-http
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  terminationMessagePolicy: FallbackToLogsOnError
  resources:
    {{- toYaml $values.resources | nindent 4 }}
  securityContext:
    {{- toYaml .root.Values.securityContext | nindent 4 }}
  volumeMounts:
    - {name: sidecar-config, mountPath: /etc/gantry, readOnly: true}
    - {name: api-access, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end -}}

{{/* The token is mounted by hand, so that only the sidecar has it. */}}
{{- define "gantry.sidecar.volumes" -}}
- name: sidecar-config
  configMap:
    name: {{ include "gantry.fullname" . }}-sidecar
- name: api-access
  projected:
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - {key: ca.crt, path: ca.crt}
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end -}}
