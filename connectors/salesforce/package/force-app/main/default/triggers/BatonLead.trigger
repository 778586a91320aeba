/** Conversions and merges of leads, for Baton. Does nothing unless `Tell_Baton__c` is set. */
trigger BatonLead on Lead(after update, after delete) {
    if (Trigger.isUpdate) {
        BatonEvents.converted(Trigger.new, Trigger.oldMap);
    } else {
        BatonEvents.merged('Lead', Trigger.old);
    }
}
