package dev.eden.activities.cutover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.proxy.RouteState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who is looked at in which pass over the fences. */
class FenceTurnTest {

    @Test
    void everybodyInEveryPassWhereTheyAreFew() {
        List<Routes> few = routes(FenceSweeper.MOST);
        assertThat(FenceSweeper.turn(few, "")).hasSameElementsAs(few);
        assertThat(FenceSweeper.turn(few, "m017")).hasSameElementsAs(few);
    }

    @Test
    void everybodyWithinFivePassesOfTwoHundredThoughSomeEnd() {
        List<Routes> all = new ArrayList<>(routes(200));
        Set<String> seen = new HashSet<>();
        String last = "";
        for (int pass = 0; pass < 5; pass++) {
            List<Routes> turn = FenceSweeper.turn(all, last);
            assertThat(turn).hasSize(FenceSweeper.MOST);
            turn.forEach(row -> seen.add(row.migration()));
            last = turn.getLast().migration();
            String gone = last;
            all.removeIf(row -> row.migration().equals(gone));
        }
        assertThat(seen).hasSize(200);
    }

    private static List<Routes> routes(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new Routes(
                        String.format("m%03d", i), 1, RouteState.STABLE, 0, "a" + i, "b" + i, List.of("i" + i), null))
                .toList();
    }
}
