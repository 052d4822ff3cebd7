package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.RespConnection;
import dev.eden.proxy.redis.CommandTable;
import org.junit.jupiter.api.Test;

/** A server's own word on its commands. */
class LoggedCommandsIT {

    @Test
    void whatTheServerTellsIsTheTable() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source")) {
            StreamCommand command = Logged.command("ZUNIONSTORE", "sum", "2", "one", "two");
            CommandTable told = LoggedCommands.of(blue);
            assertThat(told).isNotSameAs(CommandTable.bundled());
            assertThat(told.keys(command.arguments()).orElseThrow())
                    .containsExactly(command.argument(1), command.argument(3), command.argument(4));
            blue.call("ACL", "SETUSER", "silent", "on", ">pw", "~*", "+@all", "-command");
            try (RespConnection silent = pair.servers.connect("source", "silent", "pw")) {
                assertThat(LoggedCommands.of(silent)).isSameAs(CommandTable.bundled());
            }
        }
    }
}
