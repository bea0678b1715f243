SELECT resent FROM sweep_outbound(1);
