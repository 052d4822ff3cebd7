package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A database address with its credentials taken apart, so that the address may be shown. */
public record DatabaseUrl(
        String jdbc, @Nullable String user, @Nullable Secret password) {

    /**
     * Takes {@code jdbc:postgresql://host/db?…} as it is (with {@code user} and {@code password} of its parameters taken out) and
     * {@code postgresql://user:password@host/db}. Credentials given apart win. Throws {@link StartupException}.
     */
    public static DatabaseUrl parse(String text, @Nullable String user, @Nullable Secret password) {
        String bare = text.startsWith("jdbc:") ? text.substring("jdbc:".length()) : text;
        URI uri;
        try {
            uri = new URI(bare);
        } catch (URISyntaxException e) {
            throw bad();
        }
        String scheme = uri.getScheme();
        if (scheme == null || !(scheme.equals("postgresql") || scheme.equals("postgres")) || uri.getHost() == null) {
            throw bad();
        }
        String foundUser = user;
        Secret foundPassword = password;
        String info = uri.getRawUserInfo();
        if (info != null) {
            int colon = info.indexOf(':');
            if (foundUser == null) {
                foundUser = decoded(colon < 0 ? info : info.substring(0, colon));
            }
            if (foundPassword == null && colon >= 0) {
                foundPassword = new Secret(decoded(info.substring(colon + 1)));
            }
        }
        StringBuilder query = new StringBuilder();
        String raw = uri.getRawQuery();
        if (raw != null) {
            for (String parameter : raw.split("&", -1)) {
                int equals = parameter.indexOf('=');
                String name = equals < 0 ? parameter : parameter.substring(0, equals);
                String value = equals < 0 ? "" : parameter.substring(equals + 1);
                if (name.equals("user")) {
                    foundUser = foundUser == null ? decoded(value) : foundUser;
                } else if (name.equals("password")) {
                    foundPassword = foundPassword == null ? new Secret(decoded(value)) : foundPassword;
                } else {
                    query.append(query.isEmpty() ? '?' : '&').append(parameter);
                }
            }
        }
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        String path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        return new DatabaseUrl("jdbc:postgresql://" + uri.getHost() + port + path + query, foundUser, foundPassword);
    }

    private static String decoded(String raw) {
        return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Without the input: it may hold a password. */
    private static StartupException bad() {
        return new StartupException(
                "the database's URL is not of the form postgresql://user:password@host:port/database",
                "correct --database-url (EDEN_DATABASE_URL)");
    }
}
