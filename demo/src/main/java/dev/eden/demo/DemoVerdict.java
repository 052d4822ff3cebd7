package dev.eden.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.engine.Judgement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Everything that was found, and whether it is good enough.
 *
 * @param readsOnTarget that the target served before the first cutover, while a share of them was to go there
 * @param failure why the scenario did not reach its end, or null
 */
record DemoVerdict(
        String engine,
        DemoOptions options,
        Judgement judgement,
        long clientErrors,
        long disconnects,
        long conflicts,
        List<String> troubles,
        List<Flip> attempts,
        double operationsPerSecond,
        double secondsToLoad,
        double seconds,
        DamageResult damage,
        long readsOnTarget,
        @Nullable String failure) {

    /** How many keys were damaged, how many of them Eden named, how many it repaired, and whether it named those and no other. */
    record DamageResult(int planted, int found, int repaired, boolean exact) {
        static final DamageResult NONE = new DamageResult(0, 0, 0, true);
    }

    Verdict checked() {
        return judgement.checked();
    }

    long lost() {
        return checked().count(Anomaly.LOST) + judgement.stillLost();
    }

    List<Flip> flips() {
        return attempts.stream().filter(Flip::committed).toList();
    }

    /** Cutover, rollback, cutover. */
    private boolean flippedThereAndBack() {
        return flips().stream().map(Flip::direction).toList().equals(List.of("forward", "rollback", "forward"));
    }

    boolean passed() {
        return failures().isEmpty();
    }

    /** What must be otherwise, in words. */
    List<String> failures() {
        Verdict checked = checked();
        List<String> failures = new ArrayList<>();
        if (failure != null) {
            failures.add(failure);
        }
        zero(failures, lost(), "acknowledged writes lost");
        zero(failures, checked.count(Anomaly.DUPLICATED), "writes applied twice");
        zero(failures, checked.count(Anomaly.REORDERED), "effects out of order");
        zero(failures, checked.count(Anomaly.RESURRECTED), "deleted or expired values back again");
        zero(failures, checked.count(Anomaly.STALE), "stale reads");
        zero(failures, checked.count(Anomaly.TORN), "transactions seen by halves");
        zero(failures, checked.count(Anomaly.CYCLE), "cycles of serializable transactions");
        zero(failures, checked.count(Anomaly.WRONG), "answers that nothing explains");
        zero(failures, clientErrors, "errors at clients");
        if (options.proxiesFrom() == null) {
            zero(failures, disconnects, "connections dropped");
        }
        if (checked.acknowledgedWrites() == 0) {
            failures.add("no write was acknowledged: nothing was shown");
        }
        if (failure == null && !flippedThereAndBack()) {
            failures.add("the flips were "
                    + flips().stream().map(Flip::direction).toList() + ", not forward, rollback, forward");
        }
        if (failure == null && readsOnTarget == 0) {
            failures.add("the target served no read before the cutover: nothing was shown of the canary");
        }
        if (damage.planted() > 0 && !damage.exact()) {
            failures.add(
                    damage.planted() + " keys were damaged, Eden named " + damage.found() + " of them and repaired "
                            + damage.repaired() + (damage.found() == damage.planted() ? ", and others besides" : ""));
        }
        failures.addAll(judgement.failures());
        return failures;
    }

    private static void zero(List<String> failures, long count, String what) {
        if (count != 0) {
            failures.add(count + " " + what);
        }
    }

    List<String> words() {
        Verdict checked = checked();
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add(passed() ? "PASSED" : "FAILED");
        lines.add(String.format(
                Locale.ROOT,
                "  %,d operations in %.0f s (%,.0f/s), %,d writes acknowledged, %d in doubt; seed %d",
                checked.operations(),
                seconds,
                operationsPerSecond,
                checked.acknowledgedWrites(),
                checked.inDoubt(),
                options.seed()));
        lines.add("  lost " + lost() + ", duplicated " + checked.count(Anomaly.DUPLICATED) + ", reordered "
                + checked.count(Anomaly.REORDERED) + ", resurrected " + checked.count(Anomaly.RESURRECTED)
                + ", stale reads " + checked.count(Anomaly.STALE) + ", torn " + checked.count(Anomaly.TORN)
                + (checked.count(Anomaly.CYCLE) > 0 ? ", cycles " + checked.count(Anomaly.CYCLE) : "")
                + ", unexplained " + checked.count(Anomaly.WRONG));
        lines.add("  errors at clients " + clientErrors + ", connections dropped " + disconnects
                + (options.proxiesFrom() == null ? "" : ": proxies were replaced"));
        lines.add(String.format(Locale.ROOT, "  canary: %,d reads served by the target", readsOnTarget));
        for (Flip flip : attempts) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  %s %s: clients waited %.1f ms at most, p99 %.1f ms (%d requests overlapped%s)",
                    flip.direction(),
                    flip.committed() ? "flip" : "attempt " + flip.outcome(),
                    flip.pause().maxMillis(),
                    flip.pause().p99Millis(),
                    flip.pause().requests(),
                    flip.reported() ? "" : "; times estimated"));
        }
        if (damage.planted() > 0) {
            lines.add("  damage: " + damage.planted() + " keys planted, " + damage.found() + " found, "
                    + damage.repaired() + " repaired" + (damage.exact() ? ": exactly those" : ""));
        }
        for (String why : failures()) {
            lines.add("  ! " + why);
        }
        for (String example : checked.examples()) {
            lines.add("    " + example);
        }
        for (String trouble : troubles) {
            lines.add("    " + trouble);
        }
        return lines;
    }

    /** One object, for programs. */
    ObjectNode json() {
        Verdict checked = checked();
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("engine", engine);
        json.put("verdict", passed() ? "passed" : "failed");
        json.put("acknowledged_writes", checked.acknowledgedWrites());
        json.put("lost", lost());
        json.put("duplicated", checked.count(Anomaly.DUPLICATED));
        json.put("reordered", checked.count(Anomaly.REORDERED));
        json.put("resurrected", checked.count(Anomaly.RESURRECTED));
        json.put("stale_reads", checked.count(Anomaly.STALE));
        json.put("torn", checked.count(Anomaly.TORN));
        json.put("cycles", checked.count(Anomaly.CYCLE));
        json.put("unexplained", checked.count(Anomaly.WRONG));
        json.put("client_errors", clientErrors);
        json.put("disconnects", disconnects);
        json.put("in_doubt", checked.inDoubt());
        json.put("conflicts", conflicts);
        json.put("operations", checked.operations());
        json.put("ops_per_second", Math.round(operationsPerSecond));
        json.put("reads_on_target", readsOnTarget);
        flips(json.putArray("flips"), flips());
        flips(
                json.putArray("aborted_attempts"),
                attempts.stream().filter(f -> !f.committed()).toList());
        ObjectNode damaged = json.putObject("damage");
        damaged.put("planted", damage.planted());
        damaged.put("found", damage.found());
        damaged.put("repaired", damage.repaired());
        damaged.put("exact", damage.exact());
        json.put("seconds", Math.round(seconds * 10) / 10.0);
        json.put("seconds_to_load", Math.round(secondsToLoad * 10) / 10.0);
        json.put("keys", options.keys());
        json.put("clients", options.clients());
        json.put("seed", options.seed());
        ArrayNode why = json.putArray("failures");
        failures().forEach(why::add);
        ArrayNode examples = json.putArray("examples");
        checked.examples().forEach(examples::add);
        ArrayNode said = json.putArray("troubles");
        troubles.forEach(said::add);
        return json;
    }

    private static void flips(ArrayNode array, List<Flip> flips) {
        for (Flip flip : flips) {
            ObjectNode node = array.addObject();
            node.put("direction", flip.direction());
            node.put("outcome", flip.outcome());
            node.put("pause_ms_max", Math.round(flip.pause().maxMillis() * 10) / 10.0);
            node.put("pause_ms_p99", Math.round(flip.pause().p99Millis() * 10) / 10.0);
            node.put("requests", flip.pause().requests());
            node.put("hold_to_open_ms", Math.round(flip.windowMicros() / 100.0) / 10.0);
            node.put("estimated", !flip.reported());
            ObjectNode steps = node.putObject("steps_ms");
            flip.steps().forEach(steps::put);
            ObjectNode proxies = node.putObject("proxies_ms");
            flip.proxies().forEach(proxies::put);
            ArrayNode latencies = node.putArray("latencies_ms");
            flip.pause().millis().forEach(latencies::add);
        }
    }
}
