package dev.eden.api.config;

/** docs/configuration.md's tables and the example file, made from {@link Setting}. */
public final class SettingsDocument {
    private SettingsDocument() {}

    public static String table() {
        StringBuilder table = new StringBuilder();
        table.append("| file | environment | flag | of | value | default | meaning |\n");
        table.append("|---|---|---|---|---|---|---|\n");
        for (Setting setting : Setting.values()) {
            boolean secret = setting.kind() instanceof Kind.Secret;
            table.append("| `")
                    .append(setting.key())
                    .append("` | `")
                    .append(setting.variable())
                    .append(secret ? "`, `" + setting.variable() + "_FILE`" : "`")
                    .append(" | ")
                    .append(setting.flag() == null ? "" : "`" + setting.flag() + "`")
                    .append(" | ")
                    .append(processes(setting))
                    .append(" | ")
                    .append(
                            secret
                                    ? "path of a file with the secret"
                                    : setting.kind().label())
                    .append(" | ")
                    .append(setting.defaultValue() == null ? "" : "`" + setting.defaultValue() + "`")
                    .append(" | ")
                    .append(setting.meaning().replace("|", "\\|"))
                    .append(" |\n");
        }
        return table.toString();
    }

    /** A file with every setting, all of them commented out. */
    public static String example() {
        StringBuilder yaml = new StringBuilder(
                "# Eden's configuration. Flags win over the environment, the environment over this file.\n");
        String section = "";
        for (Setting setting : Setting.values()) {
            int dot = setting.key().indexOf('.');
            String of = dot < 0 ? "" : setting.key().substring(0, dot);
            if (!of.equals(section)) {
                yaml.append("\n#").append(of.isEmpty() ? "" : of + ":").append('\n');
                section = of;
            }
            String indent = of.isEmpty() ? "" : "  ";
            yaml.append("# ")
                    .append(indent)
                    .append("# ")
                    .append(setting.meaning())
                    .append('\n');
            yaml.append("# ")
                    .append(indent)
                    .append(setting.key().substring(dot + 1))
                    .append(": ")
                    .append(setting.defaultValue() == null ? "" : setting.defaultValue())
                    .append('\n');
        }
        return yaml.append(ReceiverSection.EXAMPLE).toString();
    }

    private static String processes(Setting setting) {
        boolean server = setting.isOf(Setting.Verb.SERVER);
        boolean proxy = setting.isOf(Setting.Verb.PROXY);
        return server && proxy ? "both" : server ? "server" : "proxy";
    }
}
