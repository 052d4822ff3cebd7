package dev.eden.activities.redis.acl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.LinkTls;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.util.List;
import org.junit.jupiter.api.Test;

class AclUserTest {

    @Test
    void aSelectorIsOneRule() {
        AclUser user = AclUser.parse("user app on nopass %R~ro:* ~rw:* &* -@all +set (~sel* resetchannels -@all +get)");
        assertThat(user.name()).isEqualTo("app");
        assertThat(user.rules())
                .containsExactly(
                        "on", "nopass", "%R~ro:*", "~rw:*", "&*", "-@all", "+set", "(~sel* resetchannels -@all +get)");
    }

    @Test
    void fencedMeansNothingButTheHarmlessFew() {
        assertThat(user("on nopass ~* &* -@all +ping +client|id +select").fenced())
                .isTrue();
        assertThat(user("on nopass ~* &* -@all +@connection -client +client|setname +select")
                        .fenced())
                .isTrue();
        assertThat(user("on nopass ~* &* -@all +@connection").fenced()).isFalse();
        assertThat(user("on nopass ~* &* -@all +ping +get").fenced()).isFalse();
        assertThat(user("on nopass ~* &* -@all +ping (~* +get)").fenced()).isFalse();
        assertThat(user("on nopass ~* &* +@all").fenced()).isFalse();
        assertThat(user("off nopass ~* &* +@all").fenced()).isFalse();
        assertThat(user("on nopass ~* &* -@all +client").fenced()).isFalse();
    }

    @Test
    void aSnapshotSurvivesItsStoredForm() {
        AclSnapshot snapshot = new AclSnapshot(
                true,
                List.of(user("on #0123 ~caf\u00e9:* resetchannels &a* -@all +get (~x -@all +set)"), user("on nopass")),
                List.of("new-1", "new-2"));
        assertThat(AclSnapshot.decode(snapshot.encode())).isEqualTo(snapshot);
        assertThat(snapshot.toString()).doesNotContain("0123");
    }

    @Test
    void otherTextIsNoSnapshot() {
        assertThatThrownBy(() -> AclSnapshot.decode("{}")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> AclUser.parse("user app on (~x +get")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyUsersOfTheMigrationBelongToIt() {
        assertThat(EdenUsers.belongsTo("eden-apply-a-12", "a")).isTrue();
        assertThat(EdenUsers.belongsTo("eden-control-a", "a")).isTrue();
        assertThat(EdenUsers.belongsTo("eden-apply-a-1-12", "a")).isFalse();
        assertThat(EdenUsers.belongsTo("eden-control-ab", "a")).isFalse();
        assertThat(EdenUsers.belongsTo("app", "a")).isFalse();
    }

    private static AclUser user(String rules) {
        return AclUser.parse("user app " + rules);
    }

    @Test
    void whoIsGivenALoginMayReadWhatThatUserMay() {
        List<AclUser> users = List.of(
                AclUser.parse("user default on nopass ~* &* +@all"), AclUser.parse("user app on #abc ~app:* &* +@all"));
        assertThat(OpenReads.open(endpoint("app", false), users)).isTrue();
        assertThat(OpenReads.open(endpoint("app", true), users)).isFalse();
        assertThat(OpenReads.open(endpoint("default", true), users)).isTrue();
        assertThat(OpenReads.open(endpoint("gone", true), users)).isFalse();
    }

    private static Endpoint endpoint(String user, boolean loginForClients) {
        Backend.Login login = new Backend.Login(user, new Secret("pw"));
        return new Endpoint("e", "redis", "h", 1, false, login, null, loginForClients, new LinkTls.OfSystem());
    }

    @Test
    void isOpenToAllOnlyWithoutAPasswordAndWithoutLimits() {
        assertThat(AclUser.parse("user default on nopass sanitize-payload ~* &* +@all")
                        .openToAll())
                .isTrue();
        for (String closed : new String[] {
            "off nopass ~* &* +@all", "on #abc ~* &* +@all", "on nopass ~app:* &* +@all", "on nopass ~* &* +@all -get"
        }) {
            assertThat(AclUser.parse("user default " + closed).openToAll())
                    .as(closed)
                    .isFalse();
        }
    }
}
