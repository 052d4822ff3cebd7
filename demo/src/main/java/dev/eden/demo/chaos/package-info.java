/** Faults under load: processes are killed and stopped at every step of the protocol, and the checker judges what clients saw. */
@NullMarked
package dev.eden.demo.chaos;

import org.jspecify.annotations.NullMarked;
