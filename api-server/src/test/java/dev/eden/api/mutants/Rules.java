package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.demo.check.Anomaly;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A situation in which a rule of the protocol matters, once with it and once without. */
final class Rules {
    private static final Logger LOGGER = LoggerFactory.getLogger(Rules.class);

    private Rules() {}

    interface Scenario {
        Judgement run(boolean mutant) throws Exception;
    }

    static Judgement clean(String name, Scenario scenario) throws Exception {
        Judgement judgement = scenario.run(false);
        LOGGER.info("{}, the rule kept: {}", name, judgement.summary());
        assertThat(judgement.verdict().examples()).isEmpty();
        assertThat(judgement.anomalies()).isZero();
        assertThat(judgement.verdict().acknowledgedWrites()).isGreaterThan(200);
        return judgement;
    }

    static Judgement mutated(String name, Scenario scenario) throws Exception {
        Judgement judgement = scenario.run(true);
        LOGGER.info("{}, the rule taken out: {}", name, judgement.summary());
        return judgement;
    }

    /** The checker's model of the data says it. */
    static void isCaught(String name, Scenario scenario, Anomaly... expected) throws Exception {
        clean(name, scenario);
        Judgement judgement = mutated(name, scenario);
        assertThat(expected)
                .as(judgement.summary())
                .anyMatch(anomaly -> judgement.verdict().count(anomaly) > 0);
    }

    /** The servers' fences keep the data; what clients may never see either says it. */
    static void isCaughtAtClients(String name, Scenario scenario) throws Exception {
        assertThat(clean(name, scenario).troubles()).isEmpty();
        Judgement judgement = mutated(name, scenario);
        assertThat(judgement.troubles().size() + judgement.anomalies())
                .as(judgement.summary())
                .isPositive();
    }

    static void committed(AttemptReport report) {
        assertThat(report.outcome()).as("%s", report).isEqualTo("committed");
    }
}
