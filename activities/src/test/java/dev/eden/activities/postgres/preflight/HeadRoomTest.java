package dev.eden.activities.postgres.preflight;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeadRoomTest {
    private static final long MIB = 1 << 20;

    /** As many as the load has lanes build at a time, and none with less than Eden sets. */
    @Test
    void countsWhatBuildingTakes() {
        assertThat(HeadRoom.forBuilding(64 * MIB)).isEqualTo(4 * 128 * MIB);
        assertThat(HeadRoom.forBuilding(128 * MIB)).isEqualTo(4 * 128 * MIB);
        assertThat(HeadRoom.forBuilding(1024 * MIB)).isEqualTo(4 * 1024 * MIB);
    }
}
