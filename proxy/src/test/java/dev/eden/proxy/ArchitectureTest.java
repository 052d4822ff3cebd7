package dev.eden.proxy;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The directions of the data plane. */
@AnalyzeClasses(packages = "dev.eden.proxy", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DIRECTIONS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.temporal..",
                    "software.amazon..",
                    "com.amazonaws..",
                    "java.sql..",
                    "javax.sql..",
                    "org.jdbi..",
                    "org.postgresql..",
                    "jakarta..",
                    "io.dropwizard..",
                    "dev.eden.workflows..",
                    "dev.eden.activities..",
                    "dev.eden.api..",
                    "dev.eden.demo..",
                    "dev.eden.embedded..")
            .because("the data plane stands alone: JDK, Netty and Micrometer");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("dev.eden.proxy.(*)..").should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule LOGS_INSTEAD_OF_PRINTING =
            noClasses().should().accessField(System.class, "out").because("only the command line prints");
}
