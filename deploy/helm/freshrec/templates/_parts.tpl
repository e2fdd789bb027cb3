{{- define "freshrec.name" -}}
{{- if contains "freshrec" .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- else -}}{{ printf "%s-freshrec" .Release.Name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- end }}

{{- define "freshrec.selector" -}}
app.kubernetes.io/name: freshrec
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "freshrec.labels" -}}
{{ include "freshrec.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "freshrec.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* Numbers of values arrive as floats: 1e+06 is no whole number to freshrec. */ -}}
{{- define "freshrec.toml" -}}
{{- range $section, $values := .Values.settings }}
[{{ $section }}]
{{- range $key, $value := $values }}
{{- if kindIs "string" $value }}
{{ $key }} = {{ $value | toJson }}
{{- else if and (kindIs "float64" $value) (eq $value (floor $value)) }}
{{ $key }} = {{ $value | int64 }}
{{- else }}
{{ $key }} = {{ $value }}
{{- end }}
{{- end }}
{{ end }}
{{- end }}

{{- /* The port of serve.workerUrl: what its host names, else what its scheme stands for. */ -}}
{{- define "freshrec.workerPort" -}}
{{- $url := urlParse .Values.serve.workerUrl -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end }}

{{- define "freshrec.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "freshrec.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "freshrec.env" -}}
- {name: FRESHREC_CONFIG, value: /etc/freshrec/freshrec.toml}
- {name: FRESHREC_STATE__DIR, value: /var/lib/freshrec/state}
- {name: FRESHREC_LOG__JSON, value: "true"}
{{- range .Values.secretEnv }}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secretName }}, key: {{ .key }}}}
{{- end }}
{{- end }}

{{- define "freshrec.mounts" -}}
- {name: settings, mountPath: /etc/freshrec, readOnly: true}
- {name: cache, mountPath: /var/cache/freshrec}
- {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "freshrec.volumes" -}}
- name: settings
  configMap: {name: {{ include "freshrec.name" . }}-settings}
- {name: cache, emptyDir: {sizeLimit: 256Mi}}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- end }}

{{- /* Mounted as a folder: a file of its own (subPath) would stay as it was when the ConfigMap changes. */ -}}
{{- define "freshrec.rulesEnv" -}}
{{- if include "freshrec.rulesConfigMap" . -}}
- {name: FRESHREC_RECOMMEND__RULES_FILE, value: /etc/freshrec-rules/{{ .Values.businessRules.key }}}
{{- end }}
{{- end }}

{{- define "freshrec.rulesMounts" -}}
{{- if include "freshrec.rulesConfigMap" . -}}
- {name: rules, mountPath: /etc/freshrec-rules, readOnly: true}
{{- end }}
{{- end }}

{{- define "freshrec.rulesVolumes" -}}
{{- with include "freshrec.rulesConfigMap" . -}}
- name: rules
  configMap: {name: {{ . }}}
{{- end }}
{{- end }}

{{- define "freshrec.rulesConfigMap" -}}
{{- if .Values.businessRules.toml -}}{{ include "freshrec.name" . }}-rules{{- else -}}{{ .Values.businessRules.configMap }}{{- end -}}
{{- end }}

{{- define "freshrec.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
