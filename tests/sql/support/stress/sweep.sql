SELECT resent FROM sweep_outbound(1, 1, 1);
