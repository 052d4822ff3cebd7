package dev.eden.api.problem;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The one catalogue of errors. {@link #slug()} is stable: it ends the problem's {@code type} and is what programs compare; title,
 * remedy and {@link #retry()} are for people and may get better words.
 */
public enum ErrorCode {
    MALFORMED_JSON(
            400,
            "The body is not JSON",
            "The body is not one JSON object in UTF-8, names a member twice, or is nested more than 32 deep.",
            "Send one JSON object in UTF-8.",
            Retry.NEVER),
    BODY_TOO_LARGE(413, "The body is too large", "The body has more than 1 MiB.", "Send less than 1 MiB.", Retry.NEVER),
    URI_TOO_LONG(
            414,
            "The address is too long",
            "The request line is longer than the server reads.",
            "Shorten the query.",
            Retry.NEVER),
    HEADERS_TOO_LARGE(
            431,
            "The headers are too large",
            "The headers have more than 8 KiB.",
            "Send fewer or shorter headers.",
            Retry.NEVER),
    UNSUPPORTED_MEDIA_TYPE(
            415,
            "The body's media type is not supported",
            "The Content-Type is not application/json.",
            "Send Content-Type: application/json.",
            Retry.NEVER),
    NOT_ACCEPTABLE(
            406,
            "No answer in that media type",
            "The Accept header names only media types that this path does not have.",
            "Accept application/json.",
            Retry.NEVER),
    INVALID_FIELDS(
            422,
            "Some fields are not right",
            "Fields are missing, unknown, of another type or out of range.",
            "Correct the fields listed under errors.",
            Retry.NEVER),
    INVALID_PARAMETER(
            400,
            "A query parameter is not right",
            "A query parameter or the Idempotency-Key is of another form or out of range.",
            "Correct the parameters listed under errors.",
            Retry.NEVER),
    BAD_REQUEST(
            400,
            "The request can't be understood",
            "The request is not well-formed HTTP, or asks for what this path does not take, such as a query parameter it does not know.",
            "{DESCRIPTION}.",
            Retry.NEVER),
    UNAUTHENTICATED(
            401,
            "A valid token is needed",
            "There is no bearer token, or it is unknown, expired or revoked.",
            "{AUTHENTICATE}.",
            Retry.NEVER),
    FORBIDDEN(
            403,
            "The token's role does not allow this",
            "The token is good, but its role may not do this.",
            "Use a token of the role the detail names.",
            Retry.NEVER),
    TOO_MANY_FAILURES(
            429,
            "Too many failed logins from this address",
            "20 logins from this address have failed within a minute.",
            "{RETRY_AFTER}.",
            Retry.LATER),
    TOO_MANY_REQUESTS(
            429,
            "Too many requests with this token",
            "The token has asked more often than the server's limit allows.",
            "{RETRY_AFTER}; poll less, or {FOLLOW_EVENTS}.",
            Retry.SOON),
    SERVER_BUSY(
            503,
            "The server has too many requests at once",
            "As many requests as the server takes are being answered already.",
            "{RETRY_AFTER}.",
            Retry.SOON),
    TOO_MANY_STREAMS(
            503,
            "There are too many event streams",
            "200 clients follow events already.",
            "Close streams that nobody reads.",
            Retry.LATER),
    PATH_NOT_FOUND(404, "There is no such path", "No resource is served at this path.", "{DESCRIPTION}.", Retry.NEVER),
    METHOD_NOT_ALLOWED(
            405,
            "The path does not know this method",
            "The resource exists, but not with this method.",
            "Use a method of the Allow header.",
            Retry.NEVER),
    ENDPOINT_NOT_FOUND(
            404, "There is no such endpoint", "No endpoint has this id.", "{LIST_ENDPOINTS} lists them.", Retry.NEVER),
    ENDPOINT_EXISTS(
            409,
            "The endpoint exists",
            "Another endpoint has this id already.",
            "Choose another id, or {REPLACE_ENDPOINT}.",
            Retry.NEVER),
    ENDPOINT_IN_USE(
            409,
            "The endpoint is in use",
            "An interlay or a migration uses the endpoint.",
            "Remove what uses it first.",
            Retry.LATER),
    ENDPOINT_IN_MIGRATION(
            409,
            "The endpoint is in another migration",
            "A migration that has not ended has claimed the endpoint as its source or target.",
            "End that migration first (abort, finalize); one that has not been started is deleted.",
            Retry.LATER),
    ENDPOINT_UNREACHABLE(
            409,
            "The database does not answer",
            "The database can't be connected to, or refuses for a reason that has no code of its own.",
            "Check address, network and credentials; with TLS also its certificate: for that host name, and of an authority that Eden trusts (tls.ca_file).",
            Retry.LATER),
    ENDPOINT_PLAIN_REFUSED(
            409,
            "The server does not let the role in without TLS, or not at all",
            "SQLSTATE 28000 without TLS: the server lets this role in from here by TLS only, or not at all.",
            "The server may ask for TLS: ?sslmode=verify-full at the end of the endpoint's URI. Else its pg_hba.conf has no line for the role, the database and this machine, or the role may not log in.",
            Retry.LATER),
    ENDPOINT_NOT_ADMITTED(
            409,
            "The server does not let the role in",
            "SQLSTATE 28000: the server does not let this role in from here.",
            "Its pg_hba.conf has no line for the role, the database and this machine, or the role may not log in (ALTER ROLE … LOGIN).",
            Retry.LATER),
    ENDPOINT_LOGIN_REFUSED(
            409,
            "The database refuses the login",
            "The password is wrong, or there is no such user (SQLSTATE 28P01; WRONGPASS or NOAUTH of a Redis).",
            "Correct the endpoint's credentials.",
            Retry.LATER),
    ENDPOINT_DATABASE_MISSING(
            409,
            "The server has no such database",
            "SQLSTATE 3D000: the URI names a database that the server does not have.",
            "Correct the database at the end of the endpoint's URI; without one it is that of the user's name.",
            Retry.LATER),
    ENDPOINT_FULL(
            409,
            "The server has no connection left",
            "SQLSTATE 53300: max_connections, or the limit of the role or the database, is reached.",
            "End what is not needed, or raise the limit; then check again.",
            Retry.LATER),
    INTERLAY_NOT_FOUND(
            404, "There is no such interlay", "No interlay has this id.", "{LIST_INTERLAYS} lists them.", Retry.NEVER),
    INTERLAY_EXISTS(
            409, "The interlay exists", "Another interlay has this id already.", "Choose another id.", Retry.NEVER),
    INTERLAY_IN_USE(
            409,
            "The interlay is in use",
            "A migration that has not ended moves the interlay, or a proxy serves it.",
            "End its migration and stop its proxies first; eden proxy remove takes away those that will not come back.",
            Retry.LATER),
    INTERLAY_UNBOUND(
            409,
            "The interlay has no endpoint yet",
            "The interlay was made by a server's start, and no endpoint of its engine has been created since.",
            "Create the endpoint it stands in front of first.",
            Retry.NEVER),
    USER_NOT_FOUND(
            404,
            "There is no such user",
            "The interlay has not been given a password of a user of this name.",
            "{LIST_USERS} lists those whose it has.",
            Retry.NEVER),
    TOO_MANY_USERS(
            409,
            "The interlay has as many users as it takes",
            "The interlay has the passwords of 1,000 users.",
            "Remove those that nobody needs: users with one verifier on both servers need none.",
            Retry.LATER),
    PROXY_NOT_FOUND(
            404,
            "There is no such proxy",
            "No proxy has joined under this id (INTERLAY:NAME), or it has signed off.",
            "{LIST_PROXIES} lists them.",
            Retry.NEVER),
    PROXY_ALIVE(
            409,
            "The proxy was heard a moment ago",
            "The proxy has reported within the last 10 s: it may be serving.",
            "End its process, which signs it off; remove it only where that is not possible any more.",
            Retry.LATER),
    PROXY_CONNECTED(
            409,
            "The database still shows connections of the proxy",
            "The server that owns writes has connections that carry the proxy's name: the process may be stopped, not dead.",
            "End the process; where its machine is lost, end the connections at the server (CLIENT KILL, pg_terminate_backend).",
            Retry.LATER),
    PROXY_UNCHECKED(
            409,
            "The database can't be asked for connections of the proxy",
            "The server that owns writes does not answer or refuses Eden's login, so that nobody knows whether the proxy is connected.",
            "Bring the database back; where you know that the process is dead, {FORCE_REMOVAL}.",
            Retry.LATER),
    WIRE_UNSUPPORTED(
            409,
            "A proxy speaks a version that the server does not",
            "A proxy of the migration's interlays is too old or too new for this server to lead a cutover with it; it serves meanwhile.",
            "Replace the proxies that the blockers name, or upgrade the server: servers first, then proxies.",
            Retry.LATER),
    ENGINE_MISMATCH(
            422,
            "The engines differ",
            "Interlay, endpoint and what the migration asks for (data, gates, cutover, write_mode) speak of different engines.",
            "A migration stays within one engine.",
            Retry.NEVER),
    MIGRATION_NOT_FOUND(
            404,
            "There is no such migration",
            "No migration has this id.",
            "{LIST_MIGRATIONS} lists them.",
            Retry.NEVER),
    MIGRATION_EXISTS(
            409, "The migration exists", "Another migration has this id already.", "Choose another id.", Retry.NEVER),
    MIGRATION_NOT_STARTED(
            409,
            "The migration has not been started",
            "The command is for a running migration.",
            "{START_MIGRATION} starts it, {DELETE_MIGRATION} forgets it.",
            Retry.LATER),
    MIGRATION_STARTED(
            409,
            "The migration has been started",
            "The request is for a migration before its start.",
            "Use the commands listed under allowed; {ABORT_MIGRATION} ends it where that is among them.",
            Retry.NEVER),
    MIGRATION_ENDED(
            409,
            "The migration has ended",
            "The migration is completed or rolled back.",
            "Create a new one.",
            Retry.NEVER),
    MIGRATION_WITHOUT_INTERLAY(
            409,
            "The migration has no interlay yet",
            "Source and target are known only once an interlay is added.",
            "{ADD_INTERLAY}.",
            Retry.NEVER),
    MIGRATION_SIDES_DIFFER(
            409,
            "The interlay belongs to another pair of endpoints",
            "The interlay would move another pair of endpoints than the migration does, or one endpoint to itself.",
            "One migration has one source and one target; {DELETE_MIGRATION} forgets one that has not been started.",
            Retry.NEVER),
    COMMAND_REFUSED(
            409,
            "The command is refused now",
            "The migration's phase does not take the command, or something stands in its way.",
            "See detail, blockers and allowed.",
            Retry.LATER),
    PREFLIGHT_REFUSED(
            409,
            "Preflight found what would make the migration fail",
            "A finding of severity failure: with it the migration could not succeed.",
            "Follow the findings' remedies.",
            Retry.LATER),
    VALIDATION_NOT_FOUND(
            404,
            "There is no validation report yet",
            "The migration has not been validated yet.",
            "It is written in phase validating.",
            Retry.LATER),
    TOKEN_NOT_FOUND(404, "There is no such token", "No token has this id.", "{LIST_TOKENS} lists them.", Retry.NEVER),
    RECEIVER_NOT_FOUND(
            404,
            "There is no such receiver",
            "No receiver of this name is configured at this server.",
            "{LIST_RECEIVERS} lists them.",
            Retry.NEVER),
    IDEMPOTENCY_KEY_REUSED(
            422,
            "The Idempotency-Key was used for another request",
            "The key came before with another method, path, query or body.",
            "Use a new key for a new request.",
            Retry.NEVER),
    IDEMPOTENCY_IN_PROGRESS(
            409,
            "The first request with this Idempotency-Key still runs",
            "The first request has not been answered yet.",
            "Send it again soon.",
            Retry.SOON),
    STORE_UNAVAILABLE(
            503,
            "Eden's store does not answer",
            "Eden's PostgreSQL is away, restarting or out of connections.",
            "Traffic goes on; try again soon.",
            Retry.SOON),
    ORCHESTRATOR_UNAVAILABLE(
            503,
            "Temporal does not answer",
            "Temporal is away or refuses the call.",
            "Traffic goes on; try again soon.",
            Retry.SOON),
    COMMAND_TIMED_OUT(
            504,
            "The workflow has not answered in time",
            "The workflow's worker is busy or away; the command may still be taken.",
            "{SEND_AGAIN}.",
            Retry.SOON),
    INTERNAL(
            500,
            "Eden made a mistake",
            "A defect in Eden.",
            "Report the incident number; the server's log has the rest.",
            Retry.SOON);

    /** Whether sending the same request again helps. */
    public enum Retry {
        NEVER,
        SOON,
        LATER
    }

    private final int status;
    private final String title;
    private final String cause;
    private final String remedy;
    private final Retry retry;

    ErrorCode(int status, String title, String cause, String remedy, Retry retry) {
        this.status = status;
        this.title = title;
        this.cause = cause;
        this.remedy = remedy;
        this.retry = retry;
    }

    public int status() {
        return status;
    }

    public String title() {
        return title;
    }

    /** Why it comes, for docs/errors.md; the problem's {@code detail} says it of the case. */
    public String cause() {
        return cause;
    }

    /** In the words of REST. */
    public String remedy() {
        return Reference.forRest(remedy);
    }

    /** In commands of {@code eden}, each as {@code as} has it. */
    public String commandLineRemedy(UnaryOperator<String> as) {
        return Reference.forCommandLine(remedy, as);
    }

    /** By {@link #slug()}; empty for a code of another version. */
    public static Optional<ErrorCode> of(String slug) {
        return Arrays.stream(values()).filter(code -> code.slug().equals(slug)).findFirst();
    }

    public Retry retry() {
        return retry;
    }

    /** {@code endpoint-not-found}: ends the problem's type URI. */
    public String slug() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
