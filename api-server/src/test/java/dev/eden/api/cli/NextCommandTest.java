package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import org.junit.jupiter.api.Test;

class NextCommandTest {
    @Test
    void aCutoverIsSuggestedWhereItIsWhatComesNext() {
        assertThat(NextCommand.of(canary())).isEqualTo("eden migration cutover m");
        assertThat(NextCommand.ready(canary())).isTrue();
        ObjectNode last = staged(2, 0.5);
        assertThat(NextCommand.of(last)).isEqualTo("eden migration cutover m");
        assertThat(NextCommand.ready(last)).isTrue();
    }

    @Test
    void stagesThatAreLeftComeFirst() {
        ObjectNode first = staged(1, 0.05);
        first.withArray("allowed").add("advance");
        assertThat(NextCommand.of(first)).isEqualTo("eden migration watch m");
        assertThat(NextCommand.ready(first)).isFalse();
        ((ObjectNode) first.at("/strategy/stages/0")).put("bake", "0s");
        assertThat(NextCommand.of(first)).as("it waits for somebody").isEqualTo("eden migration advance m");
    }

    @Test
    void aBreachedGateIsLookedAt() {
        for (int stage = 1; stage <= 2; stage++) {
            ObjectNode held = staged(stage, 0);
            held.withArray("allowed").add("advance");
            assertThat(NextCommand.of(held))
                    .startsWith("eden migration advance m ")
                    .contains("why its reads went back: eden migration events m");
            assertThat(NextCommand.ready(held)).isFalse();
        }
        ObjectNode held = canary();
        ((ObjectNode) held.path("canary")).put("read_percentage", 0);
        assertThat(NextCommand.of(held)).startsWith("eden migration events m ").contains("set read_percentage");
        assertThat(NextCommand.ready(held)).isFalse();
    }

    @Test
    void withoutACanaryNoReadsAreMissed() {
        for (String type : new String[] {"blue_green", "immediate"}) {
            ObjectNode status = canary();
            ((ObjectNode) status.path("canary")).put("read_percentage", 0).put("desired", 1);
            ((ObjectNode) status.path("strategy")).put("type", type).put("read_percentage", 1);
            assertThat(NextCommand.of(status)).isEqualTo("eden migration cutover m");
            assertThat(NextCommand.ready(status)).isTrue();
        }
    }

    @Test
    void afterARollbackItsReasonComesFirst() {
        ObjectNode back = staged(2, 0);
        back.put("flips", 2);
        assertThat(NextCommand.of(back)).startsWith("eden migration events m ").contains("cutover m, or abort");
        assertThat(NextCommand.ready(back)).isTrue();
    }

    @Test
    void whatBakesIsFinalisedOrTakenBack() {
        ObjectNode baking = canary();
        baking.put("phase", "baking").put("flips", 1).put("ready_for_cutover", false);
        assertThat(NextCommand.of(baking)).isEqualTo("eden migration watch m");
        baking.withArray("allowed").add("finalize");
        assertThat(NextCommand.of(baking))
                .startsWith("eden migration finalize m ")
                .contains("rollback m");
    }

    @Test
    void aSuggestedCommandGoesToTheServerThatAnswered() {
        Where where = Where.DEFAULT.with("--context", "prod").with("--url", "http://h:1/a b");
        String options = " --context prod --url 'http://h:1/a b'";
        ObjectNode baking = canary();
        baking.put("phase", "baking").withArray("allowed").add("finalize");
        assertThat(where.in(NextCommand.of(baking)))
                .isEqualTo("eden migration finalize m" + options + "   (or take it back: eden migration rollback m"
                        + options + ")");
        assertThat(where.in("eden migration list --label 'a b,c' --after x"))
                .isEqualTo("eden migration list --label 'a b,c' --after x" + options);
        assertThat(where.in("Look (eden migration status ID) before, or: eden proxy list, if at all"))
                .isEqualTo("Look (eden migration status ID" + options + ") before, or: eden proxy list" + options
                        + ", if at all");
        for (String elsewhere : new String[] {"eden proxy --name p", "eden context use prod", "eden dev"}) {
            assertThat(where.in(elsewhere)).isEqualTo(elsewhere);
        }
    }

    /** Without stages, a quarter of the reads on the target. */
    private static ObjectNode canary() {
        return (ObjectNode) Json.tree("""
                {"id": "m", "phase": "canary", "paused": false, "ready_for_cutover": true, "flips": 0, "allowed": ["cutover"],
                "canary": {"read_percentage": 0.25, "desired": 0.25, "stage": null}, "strategy": {"type": "canary", "read_percentage": 0.25}}""");
    }

    /** Of two, with 5 and 50 %. */
    private static ObjectNode staged(int stage, double share) {
        ObjectNode status = canary();
        ((ObjectNode) status.path("canary")).put("stage", stage).put("read_percentage", share);
        ((ObjectNode) status.path("strategy"))
                .set(
                        "stages",
                        Json.tree(
                                "[{\"read_percentage\": 0.05, \"bake\": \"300s\"}, {\"read_percentage\": 0.5, \"bake\": \"300s\"}]"));
        return status;
    }
}
