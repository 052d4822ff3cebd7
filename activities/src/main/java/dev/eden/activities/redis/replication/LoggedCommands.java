package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.proxy.redis.CommandTable;
import dev.eden.proxy.resp.RespValue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The table by which a server's log is read. */
final class LoggedCommands {
    private static final Logger LOGGER = LoggerFactory.getLogger(LoggedCommands.class);

    private LoggedCommands() {}

    /** A server that keeps its commands to itself is taken for a Redis 7.0: what it has beyond that goes alone, and its refusal ends replication. */
    static CommandTable of(RespConnection server) {
        Reply told = server.ask("COMMAND");
        if (told instanceof Reply.Array commands && !commands.items().isEmpty()) {
            return CommandTable.of(value(commands));
        }
        LOGGER.atWarn()
                .addKeyValue("endpoint", server.peer())
                .log("the server does not tell its commands; the table of Redis 7.0 is used");
        return CommandTable.bundled();
    }

    private static RespValue value(Reply reply) {
        return switch (reply) {
            case Reply.Simple line -> new RespValue.Line(line.text());
            case Reply.Int number -> new RespValue.Int(number.value());
            case Reply.Bulk bulk -> new RespValue.Bulk(bulk.bytes());
            case Reply.Null _ -> new RespValue.Null();
            case Reply.Error error -> new RespValue.Failure(error.message());
            case Reply.Array array ->
                new RespValue.Sequence(
                        array.items().stream().map(LoggedCommands::value).toList());
        };
    }
}
