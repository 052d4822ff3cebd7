package dev.eden.api.problem;

import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What remedies of {@link ErrorCode} tell people to do, in the words of the surface they are at: written {@code {LIST_ENDPOINTS}} in the
 * catalogue, a REST call in an answer, a command of {@code eden} on the command line. There {@code ID} stands for the id that was typed.
 */
public enum Reference {
    LIST_ENDPOINTS("GET /api/v1/endpoints", "eden endpoint list"),
    LIST_INTERLAYS("GET /api/v1/interlays", "eden interlay list"),
    LIST_USERS("GET /api/v1/interlays/{id}/users", "eden interlay user list ID"),
    LIST_PROXIES("GET /api/v1/proxies", "eden proxy list"),
    LIST_MIGRATIONS("GET /api/v1/migrations", "eden migration list"),
    LIST_TOKENS("GET /api/v1/tokens", "eden token list"),
    LIST_RECEIVERS("GET /api/v1/receivers", "eden notify list"),
    REPLACE_ENDPOINT("PUT the existing one", "change the existing one: eden endpoint update ID URI"),
    START_MIGRATION("POST …/migrate", "eden migration migrate ID"),
    ABORT_MIGRATION("POST …/abort", "eden migration abort ID"),
    DELETE_MIGRATION("DELETE /api/v1/migrations/{id}", "eden migration delete ID"),
    ADD_INTERLAY(
            "POST /api/v1/migrations/{id}/interlay/{interlay} with the target's endpoint",
            "Add one: eden migration add-interlay ID INTERLAY TARGET"),
    FORCE_REMOVAL("repeat with force=true", "repeat with --force"),
    DESCRIPTION("See the API's description", "See the command's --help"),
    AUTHENTICATE(
            "Send Authorization: Bearer TOKEN",
            "Set EDEN_TOKEN, or make a context with a good token: eden context add NAME --url URL --token-file FILE"),
    RETRY_AFTER("Wait for Retry-After seconds", "Wait some seconds"),
    FOLLOW_EVENTS("follow the events", "follow the events: eden migration events ID --follow"),
    SEND_AGAIN(
            "Send it again with the same Idempotency-Key: a repeated command is harmless",
            "Look whether it was taken (eden migration status ID) before you repeat it");

    private static final Pattern WRITTEN = Pattern.compile("\\{([A-Z_]+)}");

    private final String call;
    private final String command;

    Reference(String call, String command) {
        this.call = call;
        this.command = command;
    }

    public String command() {
        return command;
    }

    static String forRest(String text) {
        return replaced(text, reference -> reference.call);
    }

    static String forCommandLine(String text, UnaryOperator<String> as) {
        return replaced(text, reference -> as.apply(reference.command));
    }

    private static String replaced(String text, Function<Reference, String> words) {
        return WRITTEN.matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(words.apply(valueOf(found.group(1)))));
    }
}
