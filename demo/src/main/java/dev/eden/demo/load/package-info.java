/** The load: clients that keep a server busy through its front and write down what they were told. */
@NullMarked
package dev.eden.demo.load;

import org.jspecify.annotations.NullMarked;
