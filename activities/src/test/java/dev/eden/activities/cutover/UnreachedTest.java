package dev.eden.activities.cutover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.RouteLedger.Acknowledgement;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnreachedTest {

    @Test
    void saysWhatTheProxiesSaid() {
        List<Acknowledgement> said = List.of(
                one("p1", "ARMED", "{}"),
                one("p2", "UNREACHED", """
                        {"why":"target does not answer it (28000 no pg_hba.conf entry for host \\"fe80::7\\", user \\"eden_m1_proxy\\")"}"""),
                one("p3", "UNREACHED", "{\"why\":\"target does not answer it (no answer within 2500 ms)\"}"));
        assertThat(Unreached.of(said, List.of("p2/front", "p4/front")))
                .hasValueSatisfying(text -> assertThat(text)
                        .startsWith("; p2/front: target does not answer it (28000 no pg_hba.conf entry")
                        .contains("user \"eden_m1_proxy\"")
                        .doesNotContain("p3", "fe80")
                        .contains("let the proxies' hosts connect there"));
        assertThat(Unreached.of(said, List.of("p1/front"))).isEmpty();
    }

    private static Acknowledgement one(String proxy, String step, String detail) {
        return new Acknowledgement(proxy, "front", step, detail, 0);
    }
}
