// /dev/kmsg: the kernel's log, a line a read, and lines for it. poll(2) tells what is there, and wakes nobody.
#pragma once

void kmsg_register(void); // once, before the devices have their nodes
