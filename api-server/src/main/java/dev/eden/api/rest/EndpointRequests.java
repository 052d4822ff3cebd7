package dev.eden.api.rest;

import dev.eden.activities.store.LinkTls;
import dev.eden.api.store.EndpointStore.Credentials;
import dev.eden.api.store.EndpointStore.NewEndpoint;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code {id, uri, tls?, credentials?, options?, labels?}}. A login in the URI's user part goes to the credentials. */
final class EndpointRequests {
    /** Of any system that PostgreSQL runs on. */
    private static final Pattern ABSOLUTE = Pattern.compile("(?:/|[A-Za-z]:[/\\\\])[^\\p{Cntrl}]+");

    private static final String CONTROL = "must not hold control characters, not encoded either";

    private EndpointRequests() {}

    /** {@code pathId}: the id of the path where the body need not repeat it. */
    static NewEndpoint read(byte[] body, @Nullable String pathId) {
        Fields fields = Fields.of(body, false);
        String id;
        if (pathId == null) {
            id = fields.requiredId("id");
        } else {
            id = fields.text("id", 63, pathId);
            if (!id.equals(pathId)) {
                fields.error("id", "differs from the path's; an id can't change");
            }
        }
        Address address = address(fields);
        Boolean tls = fields.has("tls") ? fields.bool("tls", false) : null;
        Boolean inUri = address.tls();
        if (tls != null && inUri != null && !tls.equals(inUri)) {
            fields.error("tls", "contradicts the uri");
        }
        Credentials credentials = credentials(fields, address, pathId != null);
        boolean encrypted = Boolean.TRUE.equals(inUri) || Boolean.TRUE.equals(tls);
        Options options = options(fields, address.engine(), encrypted, credentials);
        var labels = fields.labels("labels");
        fields.done();
        return new NewEndpoint(
                id,
                address.engine(),
                address.host(),
                address.port(),
                encrypted,
                address.database(),
                credentials,
                options.clientLogin(),
                options.link(),
                labels);
    }

    private record Options(boolean clientLogin, LinkTls link) {}

    private static Options options(Fields fields, String engine, boolean tls, Credentials credentials) {
        Fields options = fields.object("options");
        if (options == null) {
            return new Options(false, new LinkTls.OfSystem());
        }
        Options read = new Options(clientLogin(options, engine, credentials), link(options, engine, tls));
        options.end();
        return read;
    }

    /** {@code client_login}: whom clients are that never log in: {@code none} (as the server has it) or {@code endpoint}. */
    private static boolean clientLogin(Fields options, String engine, Credentials credentials) {
        boolean wanted =
                options.oneOf("client_login", "none", "none", "endpoint").equals("endpoint");
        if (engine.isEmpty()) {
            return wanted;
        }
        if (wanted && !engine.equals("redis")) {
            options.error("client_login", "is for Redis; clients of PostgreSQL always log in");
        } else if (wanted && credentials instanceof Credentials.None) {
            options.error("client_login", "needs credentials of the endpoint");
        }
        return wanted;
    }

    /** {@code link_tls} or {@code link_ca_file}: how the other server verifies this one when it replicates from it. */
    private static LinkTls link(Fields options, String engine, boolean tls) {
        boolean modeGiven = options.has("link_tls");
        boolean fileGiven = options.has("link_ca_file");
        boolean verified =
                options.oneOf("link_tls", "system", "system", "require").equals("system");
        String file = options.text("link_ca_file", 1024, "");
        String name = fileGiven ? "link_ca_file" : "link_tls";
        if (engine.isEmpty()) {
            return new LinkTls.OfSystem();
        }
        if ((modeGiven || fileGiven) && !engine.equals("postgres")) {
            options.error(name, "is for PostgreSQL, whose servers replicate from each other");
        } else if (fileGiven && !ABSOLUTE.matcher(file).matches()) {
            options.error(name, "must be an absolute path, on the machine of the server that replicates from this one");
        } else if (fileGiven && modeGiven) {
            options.error(name, "says how the server is verified, and so does link_tls; give one of the two");
        } else if (!tls && (fileGiven || !verified)) {
            options.error(name, "needs tls of the endpoint");
        }
        if (fileGiven) {
            return new LinkTls.OfFile(file);
        }
        return verified ? new LinkTls.OfSystem() : new LinkTls.Unverified();
    }

    private static Credentials credentials(Fields fields, Address address, boolean replacing) {
        Backend.Login inUri = address.login();
        boolean userAlone = inUri != null && inUri.password().reveal().isEmpty();
        if (userAlone && (!fields.has("credentials") || fields.isNull("credentials"))) {
            fields.error("uri", "names a user without a password, and there are no credentials");
        }
        if (replacing && fields.isNull("credentials")) {
            return new Credentials.None();
        }
        Fields given = fields.object("credentials");
        if (given == null) {
            if (inUri != null) {
                return new Credentials.Given(inUri);
            }
            return replacing ? new Credentials.Keep() : new Credentials.None();
        }
        if (inUri != null && !userAlone) {
            fields.error("credentials", "the uri has a password already; give one of the two");
        }
        String named = given.text("username", 512, "");
        if (inUri != null && userAlone && !named.isEmpty() && !named.equals(inUri.user())) {
            fields.error("credentials", "the uri names another user; give one of the two");
        }
        String user = named.isEmpty() && inUri != null && userAlone ? inUri.user() : named;
        String password = given.requiredText("password", 4096);
        given.end();
        return user.isEmpty()
                ? new Credentials.Password(new Secret(password), firstUser(address.engine()))
                : new Credentials.Given(new Backend.Login(user, new Secret(password)));
    }

    /** Whom a server has from its beginning. */
    private static String firstUser(String engine) {
        return engine.equals("postgres") ? "postgres" : "default";
    }

    /** @param tls null where the URI leaves it open */
    private record Address(
            String engine,
            String host,
            int port,
            @Nullable Boolean tls,
            @Nullable String database,
            Backend.@Nullable Login login) {}

    /** What can't be read, and says so itself: nothing else is held against it. */
    private static final Address NONE = new Address("", "", 0, null, null, null);

    private static Address address(Fields fields) {
        String text = fields.requiredText("uri", 2048);
        if (text.isEmpty()) {
            return NONE;
        }
        URI uri;
        try {
            uri = new URI(text).parseServerAuthority();
        } catch (URISyntaxException e) {
            // The exception's message repeats the input, which may hold a password.
            fields.error(
                    "uri",
                    "is not a URI of the form redis://[user:password@]host[:port] or postgresql://user:password@host[:port]/database");
            return NONE;
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(java.util.Locale.ROOT);
        String engine = switch (scheme) {
            case "redis", "rediss" -> "redis";
            case "postgresql", "postgres" -> "postgres";
            default -> "";
        };
        if (engine.isEmpty()) {
            fields.error("uri", "the scheme must be redis, rediss or postgresql");
            return NONE;
        }
        String host = uri.getHost();
        if (host == null || host.isEmpty()) {
            fields.error("uri", "has no host");
            return NONE;
        }
        if (uri.getPort() == 0 || uri.getPort() > 65_535) {
            fields.error("uri", "the port must be between 1 and 65535");
            return NONE;
        }
        boolean verified = engine.equals("postgres") && "sslmode=verify-full".equals(uri.getRawQuery());
        boolean plain = engine.equals("postgres") && "sslmode=disable".equals(uri.getRawQuery());
        if ((uri.getRawQuery() != null && !verified && !plain) || uri.getRawFragment() != null) {
            fields.error(
                    "uri",
                    engine.equals("postgres")
                            ? "the only parameter is sslmode, verify-full or disable (the default)"
                            : "parameters are not supported; tls is a field of its own");
            return NONE;
        }
        int port = uri.getPort() > 0 ? uri.getPort() : engine.equals("redis") ? 6379 : 5432;
        String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
        return new Address(
                engine,
                bare,
                port,
                scheme.equals("rediss") || verified ? Boolean.TRUE : plain ? Boolean.FALSE : null,
                database(fields, engine, uri),
                login(fields, engine, uri));
    }

    private static @Nullable String database(Fields fields, String engine, URI uri) {
        String path = uri.getPath() == null ? "" : uri.getPath();
        if (path.isEmpty() || path.equals("/")) {
            return null;
        }
        String name = path.substring(1);
        if (engine.equals("redis")) {
            if (!name.equals("0")) {
                fields.error("uri", "an endpoint is a whole Redis server with all its databases; leave the path out");
            }
            return null;
        }
        if (name.indexOf('/') >= 0 || name.length() > 63) {
            fields.error("uri", "the path must be one database name");
        } else if (!Fields.storable(name)) {
            fields.error("uri", CONTROL);
        }
        return name;
    }

    /** Without a password where the URI has a user alone: it comes with the credentials. */
    private static Backend.@Nullable Login login(Fields fields, String engine, URI uri) {
        String info = uri.getRawUserInfo();
        if (info == null || info.isEmpty()) {
            return null;
        }
        int colon = info.indexOf(':');
        String user = decoded(colon < 0 ? info : info.substring(0, colon));
        String password = colon < 0 ? "" : decoded(info.substring(colon + 1));
        if (!Fields.storable(user) || !Fields.storable(password)) {
            fields.error("uri", CONTROL);
        }
        return new Backend.Login(user.isEmpty() ? firstUser(engine) : user, new Secret(password));
    }

    private static String decoded(String raw) {
        return URLDecoder.decode(raw.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
