package dev.eden.activities.store;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Why an endpoint can't be reached, without its address: such texts reach Temporal's histories, the store and every viewer. */
public final class ConnectFailure {
    /** As libpq and the server name the other end: {@code server at "db" (10.0.0.5), port 5432}, {@code host name "db"}, {@code certificate for "db"}. */
    private static final Pattern NAMED = Pattern.compile(
            "\\b(server at|certificate for|host name|host|address) \"[^\"]*\"(?: \\([^)]*\\))?(?:, port \\d+)?");

    private ConnectFailure() {}

    public static String why(Endpoint endpoint, IOException thrown) {
        return switch (thrown) {
            case UnknownHostException _ -> "its host name can't be resolved";
            case SocketTimeoutException _ -> "no answer in time";
            default -> {
                String said = thrown.getMessage();
                yield said == null ? thrown.getClass().getSimpleName() : without(endpoint, said);
            }
        };
    }

    /** A text of a driver, which may name the endpoint. */
    public static String without(Endpoint endpoint, String text) {
        String host = "(?<![\\w.-])" + Pattern.quote(endpoint.host()) + "(?::" + endpoint.port() + ")?(?![\\w-])";
        return withoutNamed(text.replaceAll(host, Matcher.quoteReplacement(endpoint.id())));
    }

    /** What a server or its tools say of another one, or of whoever connects to it. */
    public static String withoutNamed(String text) {
        return NAMED.matcher(text).replaceAll("$1 (not shown)");
    }
}
