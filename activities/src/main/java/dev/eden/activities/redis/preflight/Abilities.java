package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a login may do, found out without doing it: by {@code ACL DRYRUN} (7.0 and later), else by queueing the command in a MULTI that is
 * discarded, because Redis checks rights when it queues.
 */
final class Abilities {

    enum Ability {
        ALLOWED,
        FORBIDDEN,
        /** The server does not have the command: renamed, disabled or too old. */
        UNKNOWN_COMMAND;

        boolean allowed() {
            return this == ALLOWED;
        }
    }

    private final RespConnection connection;
    private final String user;

    Abilities(RespConnection connection) {
        this.connection = connection;
        Reply who = connection.ask("ACL", "WHOAMI");
        this.user = who.isError() ? "" : who.text();
    }

    /** {@code command}: name and arguments enough for its arity. Up to four round trips. */
    Ability of(String... command) {
        Ability dry = user.isEmpty() ? null : dryRun(command);
        return dry != null ? dry : queued(command);
    }

    private @org.jspecify.annotations.Nullable Ability dryRun(String... command) {
        List<Object> call = new ArrayList<>(List.of("ACL", "DRYRUN", user));
        call.addAll(List.of(command));
        return switch (connection.ask(call.toArray())) {
            case Reply.Simple _ -> Ability.ALLOWED;
            case Reply.Bulk _ -> Ability.FORBIDDEN;
            case Reply.Error error ->
                error.message().toLowerCase(Locale.ROOT).contains("not found") ? Ability.UNKNOWN_COMMAND : null;
            case Reply.Int _, Reply.Array _, Reply.Null _ -> null;
        };
    }

    private Ability queued(String... command) {
        if (connection.ask("MULTI").isError()) {
            return Ability.FORBIDDEN;
        }
        Reply reply = connection.ask((Object[]) command);
        connection.ask("DISCARD");
        if (!(reply instanceof Reply.Error error)) {
            return Ability.ALLOWED;
        }
        String message = error.message().toLowerCase(Locale.ROOT);
        if (message.contains("unknown command") || message.contains("unknown subcommand")) {
            return Ability.UNKNOWN_COMMAND;
        }
        // 7.0 refuses some commands in a transaction before it looks at the rights: then nothing more can be known.
        return message.contains("inside a transaction") ? Ability.ALLOWED : Ability.FORBIDDEN;
    }
}
