package dev.eden.demo.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class ChaosCommandTest {
    /** Refused before anything is started. */
    @ParameterizedTest
    @CsvSource({
        "kill, proxy-1~owner, kill of proxy-1~owner is not possible here: a way can be cut and nothing else",
        "stop, owner~standby, stop of owner~standby is not possible here: a way can be cut and nothing else",
        "cut, proxy-3~standby, cut of proxy-3~standby is not possible here: there are 2 proxies",
        "cut, standby, cut of standby is not possible here: it has no link to Eden's store",
        "cut, owner~temporal, no such process: owner~temporal",
        "pull, server~owner, no such action: pull"
    })
    void whatCannotBeDoneIsRefusedInWords(String action, String victim, String words) {
        assertThat(refused("--postgres", "--faults=cutover.drain:" + action + ":" + victim))
                .contains(words);
        assertThat(refused("--postgres", "--points=cutover.drain", "--actions=" + action, "--victims=" + victim))
                .contains(words);
    }

    @Test
    void noRedisReplicatesToTheOther() {
        assertThat(refused("--faults=cutover.verify:cut:owner~standby"))
                .contains("cut of owner~standby is not possible here: Eden carries what one Redis says to the other");
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void aWayIsNamedAfterItsEnds(Way way) {
        assertThat(way.label()).matches("(server|proxy-[123]|owner)~(owner|standby)");
        assertThat(Victim.of(way.label())).isSameAs(way);
    }

    private static String refused(String... arguments) {
        StringWriter said = new StringWriter();
        assertThat(new CommandLine(new ChaosCommand())
                        .setErr(new PrintWriter(said))
                        .execute(arguments))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        return said.toString();
    }
}
