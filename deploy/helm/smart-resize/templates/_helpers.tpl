{{- define "smart-resize.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "smart-resize.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "smart-resize.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "smart-resize.image" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end -}}

{{- define "smart-resize.dataClaim" -}}
{{- .Values.data.existingClaim | default (printf "%s-data" (include "smart-resize.name" .)) -}}
{{- end -}}

{{- define "smart-resize.weightsClaim" -}}
{{- .Values.weights.existingClaim | default (printf "%s-weights" (include "smart-resize.name" .)) -}}
{{- end -}}

{{/* Without enableServiceLinks: false the Service called smart-resize would set SMART_RESIZE_PORT. */}}
{{- define "smart-resize.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "smart-resize.closed" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: ["ALL"]
{{- end -}}

{{- define "smart-resize.environment" -}}
env:
  - name: SMART_RESIZE_DATABASE_URL
    valueFrom:
      secretKeyRef:
        name: {{ .Values.database.secret }}
        key: url
  - name: SMART_RESIZE_PUBLIC_URL
    value: {{ required "publicUrl: where callers reach the API" .Values.publicUrl | quote }}
  - name: SMART_RESIZE_ENGINE
    value: {{ .Values.engine | quote }}
  - name: SMART_RESIZE_DRAIN
    value: {{ .Values.drain | quote }}
  {{- with .Values.bucket.address }}
  - name: SMART_RESIZE_BUCKET
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.bucket.endpoint }}
  - name: SMART_RESIZE_BUCKET_ENDPOINT
    value: {{ . | quote }}
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  - name: SMART_RESIZE_{{ upper $name }}
    value: {{ $value | quote }}
  {{- end }}
{{- with .Values.bucket.secret }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
{{- end -}}

{{- define "smart-resize.mounts" -}}
- name: data
  mountPath: /data
- name: links
  mountPath: /data/links.secret
  subPath: links.secret
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* /tmp is in memory: what must not touch a disk passes through it. */}}
{{- define "smart-resize.volumes" -}}
- name: data
  {{- if .Values.bucket.address }}
  emptyDir: {}
  {{- else }}
  persistentVolumeClaim:
    claimName: {{ include "smart-resize.dataClaim" . }}
  {{- end }}
- name: links
  secret:
    secretName: {{ .Values.links.secret }}
    defaultMode: 0440
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 1Gi
{{- end -}}

{{- define "smart-resize.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
