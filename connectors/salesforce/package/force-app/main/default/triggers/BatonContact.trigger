/** Merges of contacts, for Baton. Does nothing unless `Tell_Baton__c` is set. */
trigger BatonContact on Contact(after delete) {
    BatonEvents.merged('Contact', Trigger.old);
}
