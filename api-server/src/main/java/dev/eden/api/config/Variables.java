package dev.eden.api.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Eden's environment variables: those of {@link Setting}, and what other parts than server and proxy read. */
final class Variables {
    private static final String PREFIX = "EDEN_";

    /** Of the command line's client, the launcher, compose, and the image. */
    private static final Set<String> OTHERS = Set.of(
            "EDEN_CONFIG",
            "EDEN_CONTEXT",
            "EDEN_TOKEN",
            "EDEN_TOKEN_FILE",
            "EDEN_URL",
            "EDEN_ENDPOINT_PASSWORD",
            "EDEN_BIND",
            "EDEN_CODEC",
            "EDEN_CODEC_TOKEN",
            "EDEN_DEMO_PASSWORD",
            "EDEN_GC",
            "EDEN_JAVA_HOME",
            "EDEN_JAVA_OPTS",
            "EDEN_NO_BUILD",
            "EDEN_TEMPORAL_CODEC_ENDPOINT",
            "EDEN_VERBOSE");

    /** What Kubernetes and container links put into a process for a service whose name begins with {@code eden}. */
    private static final Pattern OF_A_SERVICE = Pattern.compile(
            "EDEN_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\\d+_(TCP|UDP|SCTP)(_.+)?|PORT=[a-z]+://.*)");

    private Variables() {}

    static boolean known(String name) {
        return all().contains(name);
    }

    /** A line for each variable that looks like Eden's and is not; never its value. */
    static List<String> unknown(Map<String, String> environment) {
        Set<String> all = all();
        List<String> lines = new ArrayList<>();
        for (String name : new TreeSet<>(environment.keySet())) {
            if (name.startsWith(PREFIX)
                    && !all.contains(name)
                    && !OF_A_SERVICE.matcher(name).matches()
                    && !OF_A_SERVICE.matcher(name + "=" + environment.get(name)).matches()) {
                lines.add("there is no variable " + name + nearest(all, name));
            }
        }
        return lines;
    }

    private static String nearest(Set<String> all, String name) {
        return all.stream()
                .min(Comparator.comparingInt(known -> Spelling.distance(known, name)))
                .filter(known -> Spelling.distance(known, name) <= Math.max(2, (name.length() - PREFIX.length()) / 3))
                .map(known -> "; did you mean " + known + "?")
                .orElse("; docs/configuration.md lists all");
    }

    /** Sorted: of two that are as near, the same one is named each time. */
    private static Set<String> all() {
        Set<String> all = new TreeSet<>(OTHERS);
        for (Setting setting : Setting.values()) {
            all.add(setting.variable());
            if (setting.kind() instanceof Kind.Secret) {
                all.add(setting.variable() + "_FILE");
            }
        }
        return all;
    }
}
