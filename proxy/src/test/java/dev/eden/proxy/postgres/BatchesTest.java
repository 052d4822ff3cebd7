package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BatchesTest {
    private final Batches batches = new Batches();

    @Test
    void aBatchIsUnderWayFromItsFirstMessageToItsAnswer() {
        assertThat(batches.underWay()).isFalse();
        batches.begun();
        assertThat(batches.underWay()).isTrue();
        assertThat(batches.unanswered()).isZero();
        batches.sent();
        assertThat(batches.open()).isFalse();
        assertThat(batches.underWay()).isTrue();
        batches.answered(1);
        assertThat(batches.underWay()).isFalse();
    }

    @Test
    void eachOfSeveralSentAtOnceHasAnAnswerOfItsOwn() {
        batches.sent();
        batches.sent();
        batches.sent();
        batches.answered(2);
        assertThat(batches.underWay()).isTrue();
        batches.answered(1);
        assertThat(batches.underWay()).isFalse();
    }

    @Test
    void aBatchWhoseSyncACopyFromTheClientIgnoresIsStillOpen() {
        batches.begun();
        batches.sent();
        batches.syncsIgnored(1, true);
        assertThat(batches.unanswered()).isZero();
        assertThat(batches.underWay()).isTrue();
        batches.sent();
        batches.answered(1);
        assertThat(batches.underWay()).isFalse();
    }
}
