package dev.eden.demo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The directions of the demo: its checker must not share a mistake with what it checks. */
@AnalyzeClasses(packages = "dev.eden.demo", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DIRECTIONS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.temporal..",
                    "io.netty..",
                    "io.dropwizard..",
                    "software.amazon..",
                    "com.amazonaws..",
                    "dev.eden.workflows..",
                    "dev.eden.proxy..",
                    "dev.eden.activities..",
                    "dev.eden.api..")
            .because("the judge shares no code with the data path and drives Eden through its REST API only");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("dev.eden.demo.(*)..").should().beFreeOfCycles().allowEmptyShould(true);
}
