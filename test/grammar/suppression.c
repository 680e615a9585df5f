// SYNTAX TEST "source.c" "suppression comments, and what is no code"

    /* vfio-lifecycle: allow(missing-put): the parent drops it */
//     ^^^^^^^^^^^^^^ meta.suppression.vfio.c keyword.control.vfio.suppression.c
//                     ^^^^^ keyword.control.vfio.suppression.c
//                          ^ punctuation.section.parens.begin.vfio.suppression.c
//                           ^^^^^^^^^^^ constant.other.rule.vfio.c
//                                      ^ punctuation.section.parens.end.vfio.suppression.c
//                                        ^^^^^^^^^^^^^^^^^^^^^ comment.block.c - constant.other
    foo(); // vfio-lifecycle: allow(double-put, use-after-put): counted
//            ^^^^^^^^^^^^^^ keyword.control.vfio.suppression.c
//                                  ^^^^^^^^^^ constant.other.rule.vfio.c
//                                            ^ punctuation.separator.vfio.suppression.c
//                                              ^^^^^^^^^^^^^ constant.other.rule.vfio.c
    /* vfio-lifecycle: allow(missing-put) */
//     ^^^^^^^^^^^^^^ comment.block.c - keyword.control
    /* vfio-lifecycle: allow(missing-put): */
//     ^^^^^^^^^^^^^^ comment.block.c - keyword.control
    /* vfio-lifecycle: allow(missing-put): * */ foo();
//     ^^^^^^^^^^^^^^ comment.block.c - keyword.control
    /* calls vfio_put_device() */
//           ^^^^^^^^^^^^^^^ comment.block.c - support.function
    pr_err("vfio_put_device: %s\n", "vfio-lifecycle: allow(missing-put): no");
//          ^^^^^^^^^^^^^^^ string.quoted.double.c - support.function
//                                   ^^^^^^^^^^^^^^ string.quoted.double.c - keyword.control
